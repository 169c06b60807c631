// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/pre_activations.hpp"

#include "methods/engine/passes.hpp"

namespace interpscale::methods::engine {

void forward_with_pre_activations(const nn::Mlp<float>& network, MatrixView<const float> inputs,
                                  const LayerStack& z, const LayerStack& h,
                                  const kernels::Context<float>& context) {
  MatrixView<const float> below = inputs;
  for (std::size_t layer = 0; layer < network.topology.hidden.size(); ++layer) {
    const nn::DenseLayer<float>& dense = network.layers[layer];
    context.backend.gemm(kernels::GemmCase::kNT, below, dense.weights, z[layer],
                         kernels::Epilogue<float>{.bias = dense.bias}, context);
    context.backend.activate(network.topology.activation, z[layer], h[layer], context);
    below = h[layer];
  }
}

kernels::Flops forward_with_pre_activations_flops(const nn::Topology& topology, std::size_t rows) {
  return forward_layers_flops(topology, 0, topology.hidden.size(), rows);
}

}  // namespace interpscale::methods::engine
