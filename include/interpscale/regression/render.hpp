// A comparison as text: for a terminal, a CI summary, a program, a test report.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "interpscale/regression/compare.hpp"

namespace interpscale::regression {

/// A table in the manner of benchstat: cell, base +- spread, candidate +- spread, change and its
/// interval, verdict; then exponents, the geometric mean, the A/A arm, steal time, the verdict.
[[nodiscard]] std::string to_text(const Comparison& comparison);
/// The same for a CI's summary page: what is not unchanged first, the whole table folded away.
[[nodiscard]] std::string to_markdown(const Comparison& comparison);
/// All of it. Numbers are finite.
[[nodiscard]] nlohmann::ordered_json to_json(const Comparison& comparison);
/// One test case a cell and exponent: regressed a failure, inconclusive skipped, failed an error.
[[nodiscard]] std::string to_junit(std::span<const Comparison> comparisons);

/// "1.23 us", "45.6 M" (instructions).
[[nodiscard]] std::string quantity_text(Metric metric, double value);

}  // namespace interpscale::regression
