// What of a fit's residuals is news: declared FLOPs are seldom a pure power of N and n, so that
// part of the misfit is known beforehand and no sign of uncertainty. SPDX-License-Identifier:
// Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "interpscale/scaling/observation.hpp"
#include "scaling/linear_fit.hpp"

namespace interpscale::scaling {

/// The residuals of `solution` less those of the same fit of the expected values; the residuals as
/// they are where some cell expects nothing. [cells]
[[nodiscard]] std::vector<double> unexplained(const LinearFit& fit, const LinearSolution& solution,
                                              std::span<const Observation> observations);

}  // namespace interpscale::scaling
