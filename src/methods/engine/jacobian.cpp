// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/jacobian.hpp"

#include <algorithm>

namespace interpscale::methods::engine {

std::size_t jacobian_tile(const nn::Topology& topology, std::size_t batch, std::size_t bytes) {
  const std::size_t sample =
      2 * sizeof(float) * checked_product(widest_from(topology, 0), topology.inputs);
  return std::clamp<std::size_t>(bytes / sample, 1, batch);
}

PingPong jacobian_scratch(const nn::Topology& topology, std::size_t tile, Workspace& workspace) {
  const std::size_t widest = widest_from(topology, 0);
  if (goes_by_activity(topology)) {
    return {checked_product(tile, widest), topology.inputs, workspace};
  }
  return {widest, checked_product(tile, topology.inputs), workspace};
}

std::uint64_t jacobian_scratch_bytes(const nn::Topology& topology, std::size_t tile) {
  const std::size_t widest = widest_from(topology, 0);
  return goes_by_activity(topology)
             ? PingPong::bytes(checked_product(tile, widest), topology.inputs)
             : PingPong::bytes(widest, checked_product(tile, topology.inputs));
}

kernels::Flops jacobians_flops(const nn::Topology& topology, std::size_t samples) {
  const std::size_t d = topology.inputs;
  kernels::Flops total =
      kernels::first_jacobian_flops(topology.activation, topology.hidden[0], samples, d);
  for (std::size_t layer = 1; layer < topology.hidden.size(); ++layer) {
    const std::size_t width = topology.hidden[layer];
    total += kernels::gemm_flops({width, checked_product(samples, d), topology.hidden[layer - 1]});
    total += kernels::scale_jacobian_rows_flops(topology.activation, width, samples, d);
  }
  return total;
}

void unit_input_gradients(const nn::Mlp<float>& network, const LayerStack& h, std::size_t layer,
                          std::size_t unit, PingPong& scratch, MatrixView<float> by_sample,
                          const kernels::Context<float>& context) {
  const nn::Topology& topology = network.topology;
  const std::size_t batch = h.rows();
  MatrixView<float> g = scratch.next(batch, topology.hidden[layer]);
  clear(g);
  for (std::size_t b = 0; b < batch; ++b) {
    g(b, unit) = 1.0F;
  }
  for (std::size_t k = layer; k > 0; --k) {
    context.backend.multiply_by_slope(topology.activation, h[k], g, context);
    const MatrixView<float> below = scratch.next(batch, topology.hidden[k - 1]);
    context.backend.gemm(kernels::GemmCase::kNN, g, network.layers[k].weights, below, {}, context);
    g = below;
  }
  context.backend.multiply_by_slope(topology.activation, h[0], g, context);
  context.backend.gemm(kernels::GemmCase::kNN, g, network.layers[0].weights, by_sample, {},
                       context);
}

kernels::Flops unit_input_gradients_flops(const nn::Topology& topology, std::size_t layer,
                                          std::size_t batch) {
  kernels::Flops total = 0;
  for (std::size_t k = 0; k <= layer; ++k) {
    const std::size_t width = topology.hidden[k];
    total += kernels::multiply_by_slope_flops(topology.activation, std::uint64_t{batch} * width) +
             kernels::gemm_flops({batch, topology.fan_in(k), width});
  }
  return total;
}

}  // namespace interpscale::methods::engine
