// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/passes.hpp"

#include <algorithm>

namespace interpscale::methods::engine {

using kernels::Activation;
using kernels::Context;
using kernels::Epilogue;
using kernels::Flops;
using kernels::GemmCase;

void forward_layer(const nn::Mlp<float>& network, std::size_t layer, MatrixView<const float> below,
                   MatrixView<float> h, const Context<float>& context) {
  const Activation phi = network.topology.activation;
  const nn::DenseLayer<float>& dense = network.layers[layer];
  const bool relu = phi == Activation::kRelu;
  context.backend.gemm(GemmCase::kNT, below, dense.weights, h,
                       Epilogue<float>{.bias = dense.bias, .relu = relu}, context);
  if (!relu) {
    context.backend.activate(phi, h, h, context);
  }
}

void forward_layers(const nn::Mlp<float>& network, std::size_t first, std::size_t last,
                    MatrixView<const float> below, const LayerStack& stack,
                    const Context<float>& context) {
  for (std::size_t layer = first; layer < last; ++layer) {
    forward_layer(network, layer, below, stack[layer], context);
    below = stack[layer];
  }
}

void forward_readout(const nn::Mlp<float>& network, MatrixView<const float> top,
                     MatrixView<float> logits, const Context<float>& context) {
  const nn::DenseLayer<float>& readout = network.layers.back();
  context.backend.gemm(GemmCase::kNT, top, readout.weights, logits,
                       Epilogue<float>{.bias = readout.bias}, context);
}

Flops forward_layers_flops(const nn::Topology& topology, std::size_t first, std::size_t last,
                           std::size_t rows) {
  Flops total = 0;
  for (std::size_t layer = first; layer < last; ++layer) {
    const std::size_t width = topology.hidden[layer];
    total += kernels::gemm_flops({rows, width, topology.fan_in(layer)}, {.biased = true});
    total += kernels::activate_flops(topology.activation, std::uint64_t{rows} * width);
  }
  return total;
}

Flops readout_flops(const nn::Topology& topology, std::size_t rows) {
  return kernels::gemm_flops({rows, topology.outputs, topology.hidden.back()}, {.biased = true});
}

void target_rows(const nn::Mlp<float>& network, std::span<const std::uint32_t> labels,
                 MatrixView<float> gradient, const Context<float>& context) {
  const MatrixView<const float> readout = network.layers.back().weights;
  for (std::size_t first = 0; first < gradient.rows(); first += labels.size()) {
    const std::size_t count = std::min(labels.size(), gradient.rows() - first);
    context.backend.gather_rows(readout, labels.first(count), gradient.rows_from(first, count),
                                context);
  }
}

void loss_rows(const nn::Mlp<float>& network, MatrixView<const float> top,
               std::span<const std::uint32_t> labels, MatrixView<float> gradient,
               const Context<float>& context) {
  const Workspace::Scope scope(context.workspace);
  const MatrixView<float> logits =
      context.workspace.matrix<float>(top.rows(), network.topology.outputs);
  const MatrixView<float> errors =
      context.workspace.matrix<float>(top.rows(), network.topology.outputs);
  const std::span<float> losses = context.workspace.vector<float>(top.rows());
  forward_readout(network, top, logits, context);
  context.backend.cross_entropy_gradient(logits, labels, 1.0F, losses, errors, context);
  context.backend.gemm(GemmCase::kNN, errors, network.layers.back().weights, gradient, {}, context);
}

Flops loss_rows_flops(const nn::Topology& topology, std::size_t rows) {
  return readout_flops(topology, rows) +
         kernels::cross_entropy_gradient_flops(rows, topology.outputs) +
         kernels::gemm_flops({rows, topology.hidden.back(), topology.outputs});
}

std::uint64_t loss_rows_bytes(const nn::Topology& topology, std::size_t rows) {
  return 2 * matrix_bytes<float>(rows, topology.outputs) + vector_bytes<float>(rows);
}

Flops target_gradients_flops(const nn::Topology& topology, std::size_t first_layer,
                             std::size_t rows) {
  Flops total = 0;
  for (std::size_t layer = topology.hidden.size() - 1; layer > first_layer; --layer) {
    const std::size_t width = topology.hidden[layer];
    total += kernels::multiply_by_slope_flops(topology.activation, std::uint64_t{rows} * width);
    total += kernels::gemm_flops({rows, topology.hidden[layer - 1], width});
  }
  return total;
}

}  // namespace interpscale::methods::engine
