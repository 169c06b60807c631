// Which network to train for so much compute: the frontier L(C), and N_opt(C) ~ C^a from parabolas
// at fixed compute (Hoffmann et al. 2022, approaches 1 and 2).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/scaling/observation.hpp"

namespace interpscale::scaling {

/// One training run: compute spent (FLOPs or seconds, strictly ascending) and the loss then.
struct LossCurve {
  double parameters = 0;
  std::vector<double> compute;
  std::vector<double> losses;  ///< [compute.size()]
};

/// For `compute` no run reached a lower loss than this one of N = `parameters`.
struct FrontierPoint {
  double compute = 0;
  double loss = 0;
  double parameters = 0;
};

/// The points of all curves that no point of the same or less compute equals or beats, by ascending
/// compute. The law L(C) = E + A C^-gamma is `fit_loss_of_parameters` with C in the place of N.
[[nodiscard]] Result<std::vector<FrontierPoint>> loss_frontier(std::span<const LossCurve> curves);

/// The parabola of log L in log N at one compute.
struct ComputeBudget {
  double compute = 0;
  double optimal_parameters = 0;  ///< where the parabola is lowest; 0 where it has no minimum
  double loss = 0;                ///< the parabola's loss there
  std::vector<double> sizes;      ///< the N it was fitted to
  std::string reason;             ///< why it does not count; empty where it does
};

/// N_opt(C) = coefficient C^exponent.
struct OptimalSize {
  double exponent = 0;
  Interval interval;
  double coefficient = 0;
  std::vector<ComputeBudget> budgets;
};

/// At each budget the log losses of the runs that cover it (interpolated in log compute, averaged
/// over runs of one N) at the size of least loss and up to three sizes on either side, one at least
/// on either side and four in all; otherwise, or where the minimum lies outside of them, the budget
/// does not count. The interval (95 %): the parabolas' residuals are drawn anew, those of one size
/// together at all budgets, stretched by Student's t, and no narrower than the t interval of the
/// line through the N_opt. At least 3 budgets that count; an error says what is missing.
/// O(resamples x budgets).
[[nodiscard]] Result<OptimalSize> fit_optimal_size(std::span<const LossCurve> curves,
                                                   std::span<const double> budgets,
                                                   const BootstrapOptions& options);

}  // namespace interpscale::scaling
