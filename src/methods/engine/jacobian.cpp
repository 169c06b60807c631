// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/jacobian.hpp"

#include <algorithm>

namespace interpscale::methods::engine {

std::size_t jacobian_tile(const nn::Topology& topology, std::size_t batch, std::size_t bytes) {
  const std::size_t sample =
      2 * sizeof(float) * checked_product(widest_from(topology, 0), topology.inputs);
  return std::clamp<std::size_t>(bytes / sample, 1, batch);
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

}  // namespace interpscale::methods::engine
