// The least value of a loss law's objective: a grid of starts, L-BFGS (Liu and Nocedal 1989, as
// NLopt has it) in coordinates in which the objective's curvature is about 1 in every direction.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>
#include <span>

#include "scaling/loss_objective.hpp"

namespace interpscale::scaling {

struct LossMinimum {
  LossParameters theta;
  double value = 0;
};

/// From a grid of exponents, the other numbers of each start by non-negative least squares; the
/// lowest minimum found. All weights 1.
[[nodiscard]] LossMinimum search_loss(const LossObjective& objective);

/// The minimum reached from `start`, to full precision: L-BFGS, begun anew where it stopped until
/// it gains nothing.
[[nodiscard]] LossMinimum descend_loss(const LossObjective& objective, const LossParameters& start,
                                       std::span<const double> log_losses,
                                       std::span<const double> weights);

}  // namespace interpscale::scaling
