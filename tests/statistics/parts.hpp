// The parts of the statistical self-test: each simulates studies, counts, and gives a table whose
// rows say what was wanted and whether it was found.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "statistics/studies.hpp"

namespace interpscale::selftest {

/// A table of the docs. `failures` names every row that missed what it was to meet.
struct Table {
  std::string title;
  std::string text;  ///< what is simulated, in a sentence or two
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> failures;
};

/// Coverage of one-factor intervals and how often a break is flagged, by scenario.
[[nodiscard]] Table one_factor_coverage(const Options& options);
/// Coverage of two-factor and tax intervals, misfit shared with the declared FLOPs included.
[[nodiscard]] Table shared_misfit_coverage(const Options& options);
/// Plain power law, Theil-Sen and the chosen law on a + b N.
[[nodiscard]] Table overhead_table(const Options& options);
/// How often a ratio is said to grow, to shrink, to be constant.
[[nodiscard]] Table verdict_rates(const Options& options);
/// Coverage of the numbers of a loss law.
[[nodiscard]] Table loss_law_coverage(const Options& options);
/// Exact laws come back to 1e-6; designs that identify nothing are refused.
[[nodiscard]] Table exact_laws(const Options& options);

/// Is this share of `studies` compatible with a true share in [low, high]? Beyond either end by no
/// more than three standard errors: what a fast run of few studies can tell.
[[nodiscard]] bool within(double share, double low, double high, int studies);

}  // namespace interpscale::selftest
