// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/suffix_sweep.hpp"

#include <algorithm>

#include "methods/engine/passes.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {

using kernels::Activation;

namespace {

/// Below, packing what is active costs more than the product saves: 64 wide it breaks even, 16 wide
/// an ablation of all neurons takes 1.6 times as long. So too before the read-out's few columns.
constexpr std::size_t kNarrowestByActivity = 64;

}  // namespace

void forward_keeping(const nn::Mlp<float>& network, MatrixView<const float> inputs,
                     const LayerStack& z, const LayerStack& h, MatrixView<float> logits,
                     const kernels::Context<float>& context) {
  forward_layer(network, 0, inputs, h[0], context);
  for (std::size_t layer = 1; layer < network.topology.hidden.size(); ++layer) {
    const nn::DenseLayer<float>& dense = network.layers[layer];
    context.backend.gemm(kernels::GemmCase::kNT, h[layer - 1], dense.weights, z[layer],
                         kernels::Epilogue<float>{.bias = dense.bias}, context);
    context.backend.activate(network.topology.activation, z[layer], h[layer], context);
  }
  forward_readout(network, h[network.topology.hidden.size() - 1], logits, context);
}

SuffixSweep::SuffixSweep(const nn::Mlp<float>& network, std::size_t first, std::size_t last,
                         SweepProduct product, const kernels::Context<float>& context)
    : network_(network),
      first_(first),
      product_(product),
      context_(context),
      columns_(context.workspace.vector<MatrixView<float>>(last - first)),
      onward_(context.workspace.vector<MatrixView<float>>(last - first)),
      scratch_(kSuffixRows, widest_from(network.topology, first + 1), context.workspace),
      logits_(context.workspace.matrix<float>(kSuffixRows, network.topology.outputs)) {
  const nn::Topology& topology = network.topology;
  const auto transposed = [&](std::size_t layer) {
    const MatrixView<float> columns =
        context.workspace.matrix<float>(topology.hidden[layer], topology.fan_out(layer + 1));
    context.backend.transpose(network.layers[layer + 1].weights, columns, context);
    return columns;
  };
  for (std::size_t layer = first; layer < last; ++layer) {
    columns_[layer - first] = transposed(layer);
    if (goes_by_activity(topology, layer, product)) {
      onward_[layer - first] = transposed(layer + 1);
    }
  }
}

MatrixView<const float> SuffixSweep::columns(std::size_t layer) const {
  require(layer >= first_ && layer - first_ < columns_.size(), "not a layer of this sweep");
  return columns_[layer - first_];
}

MatrixView<const float> SuffixSweep::finish(std::size_t layer, MatrixView<float> h) {
  const nn::Topology& topology = network_.topology;
  for (std::size_t above = layer + 1; above < topology.hidden.size(); ++above) {
    const MatrixView<float> next = scratch_.next(h.rows(), topology.hidden[above]);
    forward_layer(network_, above, h, next, context_);
    h = next;
  }
  const MatrixView<float> result = logits_.rows_from(0, h.rows());
  forward_readout(network_, h, result, context_);
  return result;
}

MatrixView<const float> SuffixSweep::logits(std::size_t layer, MatrixView<const float> next,
                                            const kernels::SparseRows<float>& rows) {
  const nn::Topology& topology = network_.topology;
  require(next.cols() == topology.fan_out(layer + 1), "not the next layer's width");
  const std::size_t count = rows.sample.size();
  if (layer + 1 == topology.hidden.size()) {
    const MatrixView<float> result = logits_.rows_from(0, count);
    context_.backend.rank_one_rows(next, columns(layer), rows, false, result, context_);
    return result;
  }
  if (goes_by_activity(topology, layer, product_)) {
    return active_logits(layer, next, rows);
  }
  const Activation phi = topology.activation;
  const bool relu = phi == Activation::kRelu;
  const MatrixView<float> h = scratch_.next(count, topology.hidden[layer + 1]);
  context_.backend.rank_one_rows(next, columns(layer), rows, relu, h, context_);
  if (!relu) {
    context_.backend.activate(phi, h, h, context_);
  }
  return finish(layer + 1, h);
}

MatrixView<const float> SuffixSweep::active_logits(std::size_t layer, MatrixView<const float> next,
                                                   const kernels::SparseRows<float>& rows) {
  const nn::Topology& topology = network_.topology;
  const MatrixView<float> h = scratch_.next(rows.sample.size(), topology.hidden[layer + 2]);
  context_.backend.rank_one_products(
      {next, columns(layer), onward_[layer - first_], network_.layers[layer + 2].bias, true}, rows,
      h, context_);
  return finish(layer + 2, h);
}

MatrixView<const float> SuffixSweep::logits_from(std::size_t layer, MatrixView<const float> next) {
  const nn::Topology& topology = network_.topology;
  require(next.cols() == topology.fan_out(layer + 1), "not the next layer's width");
  if (layer + 1 == topology.hidden.size()) {
    return next;
  }
  const MatrixView<float> h = scratch_.next(next.rows(), next.cols());
  context_.backend.activate(topology.activation, next, h, context_);
  return finish(layer + 1, h);
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

kernels::Flops SuffixSweep::flops(const nn::Topology& topology, std::size_t layer,
                                  std::uint64_t rows, std::uint64_t links) {
  const std::size_t hidden = topology.hidden.size();
  if (!goes_by_activity(topology, layer, SweepProduct::kActiveUnits)) {
    return flops(topology, layer, rows);
  }
  return kernels::rank_one_products_flops(rows, topology.hidden[layer + 1], links,
                                          topology.hidden[layer + 2]) +
         forward_layers_flops(topology, layer + 3, hidden, rows) + readout_flops(topology, rows);
}

std::uint64_t SuffixSweep::scratch_bytes(const nn::Topology& topology, std::size_t first,
                                         std::size_t last, SweepProduct product) {
  std::uint64_t total = 2 * vector_bytes<MatrixView<float>>(last - first) +
                        PingPong::bytes(kSuffixRows, widest_from(topology, first + 1)) +
                        matrix_bytes<float>(kSuffixRows, topology.outputs);
  for (std::size_t layer = first; layer < last; ++layer) {
    total += matrix_bytes<float>(topology.hidden[layer], topology.fan_out(layer + 1));
    if (goes_by_activity(topology, layer, product)) {
      total += matrix_bytes<float>(topology.hidden[layer + 1], topology.fan_out(layer + 2));
    }
  }
  return total;
}

bool SuffixSweep::goes_by_activity(const nn::Topology& topology, std::size_t layer,
                                   SweepProduct product) {
  return product == SweepProduct::kActiveUnits && topology.activation == Activation::kRelu &&
         layer + 2 < topology.hidden.size() &&
         std::min(topology.hidden[layer + 1], topology.hidden[layer + 2]) >= kNarrowestByActivity;
}

}  // namespace interpscale::methods::engine
