// Forward passes that keep both sides of every non-linearity: for rules that divide by z.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"
#include "interpscale/nn/mlp.hpp"
#include "methods/engine/layer_stack.hpp"

namespace interpscale::methods::engine {

/// z[l] := W_l h[l-1] + b_l and h[l] := phi(z[l]) of all hidden layers, from inputs [rows, d].
void forward_with_pre_activations(const nn::Mlp<float>& network, MatrixView<const float> inputs,
                                  const LayerStack& z, const LayerStack& h,
                                  const kernels::Context<float>& context);

[[nodiscard]] kernels::Flops forward_with_pre_activations_flops(const nn::Topology& topology,
                                                                std::size_t rows);

}  // namespace interpscale::methods::engine
