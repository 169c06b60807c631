// Forward passes and gradients of the target output over borrowed rows: the tape's passes for
// several passes' rows at once, layer by layer, so that a caller can stop, change or skip a layer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"
#include "interpscale/nn/mlp.hpp"
#include "methods/engine/layer_stack.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {

/// h := phi(W_l below + b_l) for one hidden layer (from 0); below [rows, fan_in], h [rows, w_l].
void forward_layer(const nn::Mlp<float>& network, std::size_t layer, MatrixView<const float> below,
                   MatrixView<float> h, const kernels::Context<float>& context);
/// Hidden layers [first, last) into `stack`, the first of them from `below`.
void forward_layers(const nn::Mlp<float>& network, std::size_t first, std::size_t last,
                    MatrixView<const float> below, const LayerStack& stack,
                    const kernels::Context<float>& context);
/// logits := W_(L+1) top + b_(L+1).
void forward_readout(const nn::Mlp<float>& network, MatrixView<const float> top,
                     MatrixView<float> logits, const kernels::Context<float>& context);

[[nodiscard]] kernels::Flops forward_layers_flops(const nn::Topology& topology, std::size_t first,
                                                  std::size_t last, std::size_t rows);
[[nodiscard]] kernels::Flops readout_flops(const nn::Topology& topology, std::size_t rows);

/// gradient(r, :) := row labels[r mod B] of the read-out's weights: dF/dh_L. A copy, no product.
void target_rows(const nn::Mlp<float>& network, std::span<const std::uint32_t> labels,
                 MatrixView<float> gradient, const kernels::Context<float>& context);

/// visit(l, dM/dh_l) for l = L-1, ..., first_layer (from 0), of any M of the last hidden layer:
/// start(gradient) writes dM/dh_L [rows, w_L]. `h` holds the activations of the same rows. The
/// gradient [rows, w_l] is valid during the visit only. Scratch: PingPong::bytes(rows, widest of
/// the layers visited).
template <class Start, class Visit>
void visit_gradients(const nn::Mlp<float>& network, const LayerStack& h, std::size_t first_layer,
                     const kernels::Context<float>& context, const Start& start,
                     const Visit& visit) {
  const nn::Topology& topology = network.topology;
  const std::size_t rows = h.rows();
  const Workspace::Scope scope(context.workspace);
  PingPong scratch(rows, widest_from(topology, first_layer), context.workspace);
  MatrixView<float> gradient = scratch.next(rows, topology.hidden.back());
  start(gradient);
  for (std::size_t layer = topology.hidden.size(); layer-- > first_layer;) {
    visit(layer, MatrixView<const float>(gradient));
    if (layer > first_layer) {
      context.backend.multiply_by_slope(topology.activation, h[layer], gradient, context);
      const MatrixView<float> below = scratch.next(rows, topology.hidden[layer - 1]);
      context.backend.gemm(kernels::GemmCase::kNN, gradient, network.layers[layer].weights, below,
                           {}, context);
      gradient = below;
    }
  }
}

/// The same for M = F: of row r, the logit labels[r mod B].
template <class Visit>
void visit_target_gradients(const nn::Mlp<float>& network, const LayerStack& h,
                            std::span<const std::uint32_t> labels, std::size_t first_layer,
                            const kernels::Context<float>& context, const Visit& visit) {
  visit_gradients(
      network, h, first_layer, context,
      [&](MatrixView<float> gradient) { target_rows(network, labels, gradient, context); }, visit);
}

/// gradient := dloss/dh_L of every row's own loss, from the last hidden layer's activations `top`:
/// the read-out, its softmax and a product back. All [rows, ...], labels [rows].
void loss_rows(const nn::Mlp<float>& network, MatrixView<const float> top,
               std::span<const std::uint32_t> labels, MatrixView<float> gradient,
               const kernels::Context<float>& context);

[[nodiscard]] kernels::Flops loss_rows_flops(const nn::Topology& topology, std::size_t rows);
/// What `loss_rows` takes of the workspace.
[[nodiscard]] std::uint64_t loss_rows_bytes(const nn::Topology& topology, std::size_t rows);

[[nodiscard]] kernels::Flops target_gradients_flops(const nn::Topology& topology,
                                                    std::size_t first_layer, std::size_t rows);

}  // namespace interpscale::methods::engine
