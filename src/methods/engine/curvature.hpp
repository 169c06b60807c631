// Hessians of the loss in the activations of every hidden layer, mean over the batch. Each writes
// the blocks of a layer's neurons with each other in out [n, n] and leaves the rest alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"
#include "interpscale/methods/probe.hpp"

namespace interpscale::methods::engine {

/// ReLU networks: C backward passes a sample, one from every sqrt(p_c) (e_c - p), whose rows V give
/// H_l = V_l^T V_l / B. Rows of several samples are stacked.
void hessian_by_outputs(const Probe<float>& probe, const kernels::Context<float>& context,
                        MatrixView<float> out);
[[nodiscard]] kernels::Flops hessian_by_outputs_flops(const Problem& problem);
[[nodiscard]] std::uint64_t hessian_by_outputs_bytes(const Problem& problem);

/// Smooth units: H_(l-1) = W_l^T (D_l H_l D_l + diag(g_l phi''_l)) W_l for every sample of a tile,
/// side by side: H_l [w_l, S w_l].
void hessian_by_layers(const Probe<float>& probe, const kernels::Context<float>& context,
                       MatrixView<float> out);
[[nodiscard]] kernels::Flops hessian_by_layers_flops(const Problem& problem);
[[nodiscard]] std::uint64_t hessian_by_layers_bytes(const Problem& problem);

}  // namespace interpscale::methods::engine
