// What to look at beside a one-factor law: slopes between neighbours, robust slope, extrapolation.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "interpscale/scaling/one_factor.hpp"

namespace interpscale::scaling {

/// Slopes of log time between neighbouring sizes. Sizes less than a factor 1.25 apart are first
/// joined at their means: between them the slope is all noise.
[[nodiscard]] std::vector<LocalSlope> local_slopes(std::span<const double> sizes,
                                                   std::span<const double> log_times);

/// log(measured / law) at the largest size (mean over its cells), the law fitted to the others,
/// choice included. 4 distinct sizes at least.
[[nodiscard]] double leave_largest_out_error(std::span<const double> sizes,
                                             std::span<const double> log_times);

}  // namespace interpscale::scaling
