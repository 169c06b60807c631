// The inputs of the money model as a TOML file that people edit.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/economics/money_model.hpp"

namespace interpscale::economics {

/// Where a figure comes from.
struct MoneySource {
  std::string figure;  ///< "training", "understanding", or a correction's name
  std::string source;
};

/// A file's contents.
struct MoneyCase {
  MoneyInputs inputs;
  double parameters = 0;  ///< N of the network that the figures are about
  std::vector<Correction> corrections;
  std::vector<MoneySource> sources;
};

/// The committed default: the exchange's figures, as TOML.
[[nodiscard]] std::string_view default_money_text();

/// Reads tables `training` (dollars, parameters, source), `understanding` (person_years,
/// dollars_per_person_year, source) and any number of `[[correction]]` (name, source, and one of
/// factor, at_most, range). Every figure needs its source. An error names `where`, line and column,
/// what was found and what is wanted: a syntax error, an unknown or missing key, a number that is
/// not positive and finite, a range whose ends are the wrong way round, a name that stands twice.
[[nodiscard]] Result<MoneyCase> parse_money(std::string_view text, std::string_view where);
[[nodiscard]] Result<MoneyCase> read_money(const std::filesystem::path& path);

}  // namespace interpscale::economics
