// Saved results: what can be compared, exported or entered into a history.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/regression/compare.hpp"

namespace interpscale::regression {

/// Times of cells, by rounds, on one machine.
struct ResultSet {
  std::string source;    ///< the file
  std::string revision;  ///< of the code; empty if the file does not say
  std::string date;      ///< UTC, ISO 8601; empty likewise
  Machine machine;
  std::vector<scaling::Observation> cells;  ///< seconds; the rounds of different cells may differ
  std::vector<std::pair<std::string, std::string>> failed;  ///< name and reason
};

/// A file that Google Benchmark wrote (--benchmark_out, --benchmark_format=json). Repetitions are
/// taken for rounds (of one process: they share its layout). Aggregates are passed over; a file of
/// nothing but aggregates is an error. The library writes NaN, Infinity and -Infinity as bare
/// words, which are no JSON: allowed where nothing is read from, an error (that names the
/// benchmark) in a time. Errors name the file, and the byte of what is no JSON.
[[nodiscard]] Result<ResultSet> read_google_benchmark(const std::filesystem::path& path);

/// Saved results, held against each other without pairs. Errors: too few rounds (says how many are
/// wanted and how to get them), other machines unless `allow_different_machines`, and what
/// `compare` finds. What failed on either side is in `failed`.
[[nodiscard]] Result<Comparison> compare_saved(const ResultSet& base, const ResultSet& candidate,
                                               const CompareOptions& options,
                                               bool allow_different_machines);

/// Only the cells whose names the filter keeps (a regular expression; with '-' before: not).
[[nodiscard]] Result<ResultSet> filtered(ResultSet results, const std::string& filter);

}  // namespace interpscale::regression
