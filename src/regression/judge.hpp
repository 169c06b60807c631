// From log ratios to verdicts: what every way of comparing shares.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "interpscale/regression/compare.hpp"
#include "regression/log_ratio.hpp"

namespace interpscale::regression {

/// The chance of any false verdict in one comparison.
inline constexpr double kFamilyLevel = 0.05;

struct Judgement {
  scaling::Interval log_interval;  ///< of coverage 1 - level
  double level = 1;
  double p_value = 1;
  Verdict verdict = Verdict::kInconclusive;
};

/// Each ratio tested for being above `margin`, below -`margin`, or inside both, at a family level
/// of `alpha` by Holm's step-down.
[[nodiscard]] std::vector<Judgement> judge(std::span<const LogRatio> ratios, double margin,
                                           double alpha);

/// Name, medians and spreads of a cell from both sides' rounds.
[[nodiscard]] CellComparison describe(const scaling::Observation& base,
                                      const scaling::Observation& candidate);
/// Writes ratio, interval, verdict and the rounds needed.
void enter(const Judgement& judgement, const LogRatio& ratio, double margin, CellComparison& cell);
/// Geometric mean and overall verdict, from the cells, the exponents and what failed.
void conclude(Comparison& comparison);

}  // namespace interpscale::regression
