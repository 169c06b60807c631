// What an experiment is: which claims its records settle, and by what rule.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/experiments/argument.hpp"
#include "interpscale/experiments/evidence.hpp"

namespace interpscale::experiments {

enum class Verdict { kSupported, kContradicted, kUndecided, kNotMeasured };

/// "supported", "contradicted", "undecided", "not measured here".
[[nodiscard]] std::string_view name_of(Verdict verdict);

/// One line of the claims ledger.
struct LedgerLine {
  std::string claim;             ///< "C1"
  std::string statement;         ///< the claim in a sentence
  std::string quantity;          ///< what `figure` is; empty where nothing was measured
  std::optional<Figure> figure;  ///< measured, with its interval
  std::string detail;            ///< what a reader should know beside the figure
  Verdict verdict = Verdict::kNotMeasured;
  std::string rule;        ///< how the figure gives the verdict
  std::string setting;     ///< on what it was measured
  std::string experiment;  ///< its name
};

/// A table of the report, cells as text.
struct ReportTable {
  std::string title;  ///< a sentence: what the rows are
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

/// A verdict other than `undecided` needs an interval that excludes the alternative.
struct ExperimentSpec {
  std::string name;
  std::string summary;              ///< one line
  std::vector<std::string> claims;  ///< that its ledger lines speak of
  std::function<std::vector<LedgerLine>(const Evidence&)> settle;
  /// The work of its own at this scale, each piece by another name; empty function: it judges what
  /// the rest of the study measures.
  std::function<std::vector<Piece>(const ArgumentScale&)> pieces = {};
  /// What a report shows of its own outcomes; empty function, or no rows: nothing.
  std::function<std::vector<ReportTable>(const Evidence&)> tables = {};
};

}  // namespace interpscale::experiments
