// The passes' costs: the same calls as in passes.cpp, counted instead of made.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/passes.hpp"

namespace interpscale::nn {
namespace {

using kernels::Flops;

/// Layers [first, L]: product and bias, and the hidden layers' activations.
Flops layers_from_flops(const Topology& topology, std::size_t first, std::size_t batch) {
  Flops total = 0;
  for (std::size_t layer = first; layer < topology.layers(); ++layer) {
    const std::size_t out = topology.fan_out(layer);
    total += kernels::gemm_flops({batch, out, topology.fan_in(layer)}, {.biased = true});
    if (layer < topology.hidden.size()) {
      total += kernels::activate_flops(topology.activation, std::uint64_t{batch} * out);
    }
  }
  return total;
}

/// dF/dh of the layer below `layer`, without the slope.
Flops activation_gradient_flops(const Topology& topology, std::size_t layer, std::size_t batch) {
  return kernels::gemm_flops({batch, topology.fan_in(layer), topology.fan_out(layer)});
}

Flops slope_flops(const Topology& topology, std::size_t hidden_layer, std::size_t batch) {
  return kernels::multiply_by_slope_flops(topology.activation,
                                          std::uint64_t{batch} * topology.hidden[hidden_layer]);
}

}  // namespace

Flops forward_flops(const Topology& topology, std::size_t batch) {
  return layers_from_flops(topology, 0, batch);
}

Flops forward_from_flops(const Topology& topology, std::size_t layer, std::size_t batch) {
  require(layer < topology.hidden.size(), "forward_from_flops: no such hidden layer");
  return layers_from_flops(topology, layer + 1, batch);
}

Flops backward_flops(const Topology& topology, std::size_t batch) {
  Flops total = 0;
  for (std::size_t layer = 0; layer < topology.layers(); ++layer) {
    const std::size_t out = topology.fan_out(layer);
    total += kernels::gemm_flops({out, topology.fan_in(layer), batch});
    total += kernels::column_sums_flops(batch, out, false);
    if (layer > 0) {
      total += activation_gradient_flops(topology, layer, batch);
      total += slope_flops(topology, layer - 1, batch);
    }
  }
  return total;
}

Flops backward_activations_flops(const Topology& topology, std::size_t first_layer,
                                 std::size_t batch) {
  const std::size_t hidden = topology.hidden.size();
  require(first_layer < hidden, "backward_activations_flops: no such hidden layer");
  Flops total = 0;
  for (std::size_t layer = first_layer; layer < hidden; ++layer) {
    total += activation_gradient_flops(topology, layer + 1, batch);
    if (layer > first_layer) {
      total += slope_flops(topology, layer, batch);
    }
  }
  return total;
}

}  // namespace interpscale::nn
