// Jacobians of hidden layers in the inputs, J_l = D_l W_l J_(l-1), for a tile of samples side by
// side: column s d + i of J_l [w_l, S d] is the derivative in input i of sample s.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"
#include "interpscale/nn/mlp.hpp"
#include "methods/engine/layer_stack.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {

/// Bytes of a tile's two buffers: the size of a second-level cache. On an AMD EPYC with 1 MiB of it
/// a core, three layers of width 256 and 64 inputs ran at 89 % of the FMA peak; with 2, 4, 8 and 16
/// MiB at 87, 83, 81 and 77 %.
inline constexpr std::size_t kJacobianTileBytes = std::size_t{1} << 20;

/// Samples in a tile: as many as let both buffers fit `bytes`, at least one, at most `batch`.
[[nodiscard]] std::size_t jacobian_tile(const nn::Topology& topology, std::size_t batch,
                                        std::size_t bytes);

/// visit(l, J_l) for l = 0 ... L-1; `h` holds the activations of the tile's samples. J_l [w_l, S d]
/// is valid during the visit only. `scratch` has room for [widest, S d]. prepare(J_0) may scale the
/// columns of the first Jacobian, and with them those of all others.
template <class Prepare, class Visit>
void visit_prepared_jacobians(const nn::Mlp<float>& network, const LayerStack& h, PingPong& scratch,
                              const kernels::Context<float>& context, const Prepare& prepare,
                              const Visit& visit) {
  const nn::Topology& topology = network.topology;
  const std::size_t columns = h.rows() * topology.inputs;
  MatrixView<float> jacobian = scratch.next(topology.hidden[0], columns);
  context.backend.first_jacobian(topology.activation, h[0], network.layers[0].weights, jacobian,
                                 context);
  prepare(jacobian);
  visit(std::size_t{0}, MatrixView<const float>(jacobian));
  for (std::size_t layer = 1; layer < topology.hidden.size(); ++layer) {
    const MatrixView<float> above = scratch.next(topology.hidden[layer], columns);
    context.backend.gemm(kernels::GemmCase::kNN, network.layers[layer].weights, jacobian, above, {},
                         context);
    context.backend.scale_jacobian_rows(topology.activation, h[layer], topology.inputs, above,
                                        context);
    visit(layer, MatrixView<const float>(above));
    jacobian = above;
  }
}

/// The same without preparation.
template <class Visit>
void visit_jacobians(const nn::Mlp<float>& network, const LayerStack& h, PingPong& scratch,
                     const kernels::Context<float>& context, const Visit& visit) {
  visit_prepared_jacobians(
      network, h, scratch, context, [](MatrixView<float>) {}, visit);
}

/// The same of a ReLU network, over active units alone: visit(l, J_l) with J_l packed, [S w_l, d]
/// (kernels/backend.hpp). Row s of `factors` [S, d], if not empty, multiplies the columns of sample
/// s. `scratch` has room for [S widest, d].
template <class Visit>
void visit_active_jacobians(const nn::Mlp<float>& network, const LayerStack& h,
                            MatrixView<const float> factors, PingPong& scratch,
                            const kernels::Context<float>& context, const Visit& visit) {
  const nn::Topology& topology = network.topology;
  MatrixView<float> jacobian = scratch.next(h.rows() * topology.hidden[0], topology.inputs);
  context.backend.first_active_jacobian(h[0], network.layers[0].weights, factors, jacobian,
                                        context);
  visit(std::size_t{0}, MatrixView<const float>(jacobian));
  for (std::size_t layer = 1; layer < topology.hidden.size(); ++layer) {
    const MatrixView<float> above =
        scratch.next(h.rows() * topology.hidden[layer], topology.inputs);
    context.backend.next_active_jacobian({h[layer - 1], h[layer], network.layers[layer].weights},
                                         jacobian, above, context);
    visit(layer, MatrixView<const float>(above));
    jacobian = above;
  }
}

/// Whether products over active units alone are to be had.
[[nodiscard]] inline bool goes_by_activity(const nn::Topology& topology) {
  return topology.activation == kernels::Activation::kRelu;
}

/// What a pair of buffers for `tile` samples takes, packed or not.
[[nodiscard]] PingPong jacobian_scratch(const nn::Topology& topology, std::size_t tile,
                                        Workspace& workspace);
[[nodiscard]] std::uint64_t jacobian_scratch_bytes(const nn::Topology& topology, std::size_t tile);

[[nodiscard]] kernels::Flops jacobians_flops(const nn::Topology& topology, std::size_t samples);

/// by_sample := da/dx of a = h_layer[unit], [B, d]: one backward pass from that unit alone, as a
/// loop over neurons takes it. `scratch` has room for [B, widest].
void unit_input_gradients(const nn::Mlp<float>& network, const LayerStack& h, std::size_t layer,
                          std::size_t unit, PingPong& scratch, MatrixView<float> by_sample,
                          const kernels::Context<float>& context);
[[nodiscard]] kernels::Flops unit_input_gradients_flops(const nn::Topology& topology,
                                                        std::size_t layer, std::size_t batch);

}  // namespace interpscale::methods::engine
