// What pairs of neurons do together, rid of what each of them does by itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"
#include "interpscale/methods/probe.hpp"

namespace interpscale::methods::engine {

/// Takes the effects of single neurons off the rows of a layer's neurons, whose pairs hold the mean
/// change of the metric with both at zero: Delta_ij - Delta_i - Delta_j, the means over the samples
/// that were swept. Of a pair in one layer these are samples on which both are active, of one in
/// two layers those on which the earlier is: there the rows are rid of Delta_i already. alone
/// [B, n]: what each does by itself, 0 where it is inactive. Pairs of two layers that are not
/// wanted were not swept, and stay as they are.
void take_off_singles(const nn::Topology& topology, const MethodOptions& options, std::size_t layer,
                      bool same_layer, MatrixView<const float> h, MatrixView<const float> alone,
                      const kernels::Context<float>& context, MatrixView<float> out);

/// Of all pairs of one layer's neurons with those of later layers, and of its own (`same_layer`).
[[nodiscard]] kernels::Flops singles_flops(const Problem& problem, std::size_t layer,
                                           bool same_layer);

}  // namespace interpscale::methods::engine
