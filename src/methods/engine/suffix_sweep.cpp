// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/suffix_sweep.hpp"

#include "methods/engine/passes.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {

using kernels::Activation;

SuffixSweep::SuffixSweep(const nn::Mlp<float>& network, std::size_t layer,
                         MatrixView<const float> next, std::size_t capacity,
                         const kernels::Context<float>& context)
    : network_(network),
      layer_(layer),
      next_(next),
      context_(context),
      columns_(context.workspace.matrix<float>(network.topology.hidden[layer], next.cols())),
      scratch_(capacity, widest_from(network.topology, layer + 1), context.workspace),
      logits_(context.workspace.matrix<float>(capacity, network.topology.outputs)) {
  require(next.cols() == network.topology.fan_out(layer + 1), "not the next layer's width");
  context.backend.transpose(network.layers[layer + 1].weights, columns_, context);
}

MatrixView<const float> SuffixSweep::logits(const kernels::SparseRows<float>& rows) {
  const nn::Topology& topology = network_.topology;
  const std::size_t count = rows.sample.size();
  const std::size_t hidden = topology.hidden.size();
  const MatrixView<float> result = logits_.rows_from(0, count);
  if (layer_ + 1 == hidden) {
    context_.backend.rank_one_rows(next_, columns_, rows, false, result, context_);
    return result;
  }
  const Activation phi = topology.activation;
  const bool relu = phi == Activation::kRelu;
  MatrixView<float> h = scratch_.next(count, topology.hidden[layer_ + 1]);
  context_.backend.rank_one_rows(next_, columns_, rows, relu, h, context_);
  if (!relu) {
    context_.backend.activate(phi, h, h, context_);
  }
  for (std::size_t layer = layer_ + 2; layer < hidden; ++layer) {
    const MatrixView<float> above = scratch_.next(count, topology.hidden[layer]);
    forward_layer(network_, layer, h, above, context_);
    h = above;
  }
  forward_readout(network_, h, result, context_);
  return result;
}

kernels::Flops SuffixSweep::flops(const nn::Topology& topology, std::size_t layer,
                                  std::uint64_t rows) {
  const std::size_t next = topology.fan_out(layer + 1);
  const kernels::Flops update = kernels::rank_one_rows_flops(rows, next);
  if (layer + 1 == topology.hidden.size()) {
    return update;
  }
  return update + kernels::activate_flops(topology.activation, rows * next) +
         forward_layers_flops(topology, layer + 2, topology.hidden.size(), rows) +
         readout_flops(topology, rows);
}

std::uint64_t SuffixSweep::scratch_bytes(const nn::Topology& topology, std::size_t layer,
                                         std::size_t capacity) {
  return matrix_bytes<float>(topology.hidden[layer], topology.fan_out(layer + 1)) +
         PingPong::bytes(capacity, widest_from(topology, layer + 1)) +
         matrix_bytes<float>(capacity, topology.outputs);
}

}  // namespace interpscale::methods::engine
