// Least squares of limited rank.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "interpscale/kernels/backend.hpp"
#include "interpscale/modules/surrogate.hpp"

namespace interpscale::modules {

/// y ~ W x + b, W [targets, inputs] of rank `rank` at most: one stage of full rank, or two. x [D,
/// inputs], y [D, targets]; moments in double precision.
[[nodiscard]] std::vector<Stage> reduced_rank_regression(MatrixView<const float> x,
                                                         MatrixView<const float> y,
                                                         std::size_t rank, double ridge,
                                                         const kernels::Context<float>& context);

}  // namespace interpscale::modules
