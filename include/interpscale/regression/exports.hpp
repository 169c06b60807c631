// Saved results in the formats of other tools. Medians over rounds or single rounds, never
// aggregates of aggregates, never a number that is not finite.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "interpscale/regression/results.hpp"

namespace interpscale::regression {

/// "github-action", "bencher", "extra-p", "csv".
[[nodiscard]] std::vector<std::string> export_formats();

/// - github-action: a JSON array of {"name", "unit": "ns", "value", "range", "extra"}, as
///   github-action-benchmark reads it for tool customSmallerIsBetter;
/// - bencher: Bencher Metric Format, {NAME: {"latency": {"value", "lower_value", "upper_value"}}}
/// in
///   nanoseconds, median and extremes over rounds;
/// - extra-p: Extra-P's JSON Lines, one a cell and round: {"params": {"N", "n", "B", "d"},
///   "callpath": family, "metric": "time", "value": seconds};
/// - csv: a header, then one line a cell.
///
/// Errors: an unknown format, nothing to export, a time that is not positive and finite, and, for
/// extra-p, cells whose N is unknown.
[[nodiscard]] Result<std::string> export_results(const ResultSet& results, std::string_view format);

}  // namespace interpscale::regression
