// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/suffix_pruning.hpp"

#include <algorithm>

#include "methods/engine/passes.hpp"
#include "methods/engine/shapes.hpp"
#include "methods/engine/suffix_sweep.hpp"

namespace interpscale::methods::engine {

using kernels::Context;
using kernels::Epilogue;
using kernels::Flops;
using kernels::GemmCase;

KeptEdges::KeptEdges(const nn::Topology& topology, Workspace& workspace)
    : layers_(workspace.vector<MatrixView<std::uint8_t>>(topology.layers())) {
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    layers_[layer] =
        workspace.matrix<std::uint8_t>(topology.fan_out(layer), topology.fan_in(layer));
    for (std::size_t j = 0; j < layers_[layer].rows(); ++j) {
      std::fill(layers_[layer].row(j).begin(), layers_[layer].row(j).end(), std::uint8_t{1});
    }
  }
}

std::uint64_t KeptEdges::bytes(const nn::Topology& topology) {
  std::uint64_t total = vector_bytes<MatrixView<std::uint8_t>>(topology.layers());
  for (std::size_t layer = 0; layer < topology.layers(); ++layer) {
    total += matrix_bytes<std::uint8_t>(topology.fan_out(layer), topology.fan_in(layer));
  }
  return total;
}

void circuit_layer(const Probe<float>& probe, const Circuit& circuit, std::size_t layer,
                   MatrixView<const float> below, MatrixView<float> out,
                   const Context<float>& context) {
  const kernels::Activation phi = probe.network.topology.activation;
  const bool readout = layer == probe.network.topology.hidden.size();
  const bool relu = !readout && phi == kernels::Activation::kRelu;
  context.backend.gemm(GemmCase::kNT, below, circuit.weights(layer), out,
                       Epilogue<float>{.bias = probe.network.layers[layer].bias, .relu = relu},
                       context);
  if (!readout && !relu) {
    context.backend.activate(phi, out, out, context);
  }
}

SuffixPruning::SuffixPruning(const Probe<float>& probe, const LayerStack& h, Circuit& circuit,
                             KeptEdges& kept, const Context<float>& context)
    : probe_(probe),
      topology_(probe.network.topology),
      batch_(probe.inputs.rows()),
      h_(h),
      circuit_(circuit),
      kept_(kept),
      context_(context),
      scratch_(batch_, widest_from(topology_, 0), context.workspace),
      logits_(context.workspace.matrix<float>(batch_, topology_.outputs)),
      pre_activation_(context.workspace.vector<double>(batch_)),
      proposed_(context.workspace.vector<double>(batch_)),
      start_(context.workspace.vector<float>(batch_)),
      delta_(context.workspace.vector<float>(batch_)),
      kept_delta_(context.workspace.vector<float>(batch_)),
      sample_(context.workspace.vector<std::uint32_t>(batch_)),
      unit_(context.workspace.vector<std::uint32_t>(batch_)) {
  for (std::size_t b = 0; b < batch_; ++b) {
    sample_[b] = static_cast<std::uint32_t>(b);
  }
}

void SuffixPruning::prune_readout() {
  const Workspace::Scope scope(context_.workspace);
  const std::size_t layer = topology_.hidden.size();
  const MatrixView<const float> top = h_[layer - 1];
  const auto by_input = context_.workspace.matrix<float>(top.cols(), batch_);
  circuit_.enter(layer);
  circuit_layer(probe_, circuit_, layer, top, logits_, context_);
  context_.backend.transpose(top, by_input, context_);
  for (std::size_t c = 0; c < topology_.outputs; ++c) {
    for (std::size_t b = 0; b < batch_; ++b) {
      pre_activation_[b] = static_cast<double>(logits_(b, c));
    }
    for (std::size_t i = 0; i < top.cols(); ++i) {
      propose(c, i, by_input);
      for (std::size_t b = 0; b < batch_; ++b) {
        logits_(b, c) = static_cast<float>(proposed_[b]);
      }
      if (circuit_.decide(logits_)) {
        accept(layer, c, i);
      }
    }
    for (std::size_t b = 0; b < batch_; ++b) {
      logits_(b, c) = static_cast<float>(pre_activation_[b]);
    }
  }
}

void SuffixPruning::prune_hidden(std::size_t layer) {
  const Workspace::Scope scope(context_.workspace);
  const std::size_t width = topology_.hidden[layer];
  const std::size_t above = topology_.fan_out(layer + 1);
  const MatrixView<const float> below = layer == 0 ? probe_.inputs : h_[layer - 1];
  const auto z = context_.workspace.matrix<float>(batch_, width);
  const auto active = context_.workspace.matrix<float>(batch_, width);
  const auto columns = context_.workspace.matrix<float>(width, above);
  const auto by_input = context_.workspace.matrix<float>(below.cols(), batch_);
  PingPong next_states(batch_, above, context_.workspace);
  circuit_.enter(layer);
  context_.backend.transpose(below, by_input, context_);
  context_.backend.gemm(GemmCase::kNT, below, circuit_.weights(layer), z,
                        Epilogue<float>{.bias = probe_.network.layers[layer].bias}, context_);
  context_.backend.activate(topology_.activation, z, active, context_);
  context_.backend.transpose(circuit_.weights(layer + 1), columns, context_);
  MatrixView<float> next = next_states.next(batch_, above);
  context_.backend.gemm(GemmCase::kNT, active, circuit_.weights(layer + 1), next,
                        Epilogue<float>{.bias = probe_.network.layers[layer + 1].bias}, context_);
  for (std::size_t j = 0; j < width; ++j) {
    start_unit(j, z, active);
    for (std::size_t i = 0; i < below.cols(); ++i) {
      propose(j, i, by_input);
      activate_proposed();
      if (circuit_.decide(suffix(layer, next, columns))) {
        accept(layer, j, i);
        std::copy(delta_.begin(), delta_.end(), kept_delta_.begin());
      }
    }
    const MatrixView<float> moved = next_states.next(batch_, above);
    context_.backend.rank_one_rows(next, columns, {sample_, unit_, kept_delta_}, false, moved,
                                   context_);
    next = moved;
  }
}

std::uint64_t SuffixPruning::scratch_bytes(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  std::uint64_t layers = matrix_bytes<float>(topology.hidden.back(), problem.batch);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const std::size_t above = topology.fan_out(layer + 1);
    layers = std::max(layers, 2 * matrix_bytes<float>(problem.batch, topology.hidden[layer]) +
                                  matrix_bytes<float>(topology.hidden[layer], above) +
                                  matrix_bytes<float>(topology.fan_in(layer), problem.batch) +
                                  PingPong::bytes(problem.batch, above));
  }
  return PingPong::bytes(problem.batch, widest_from(topology, 0)) +
         matrix_bytes<float>(problem.batch, topology.outputs) +
         2 * vector_bytes<double>(problem.batch) + 3 * vector_bytes<float>(problem.batch) +
         2 * vector_bytes<std::uint32_t>(problem.batch) + layers;
}

void SuffixPruning::start_unit(std::size_t j, MatrixView<const float> z,
                               MatrixView<const float> active) {
  for (std::size_t b = 0; b < batch_; ++b) {
    pre_activation_[b] = static_cast<double>(z(b, j));
    start_[b] = active(b, j);
    kept_delta_[b] = 0.0F;
    unit_[b] = static_cast<std::uint32_t>(j);
  }
}

void SuffixPruning::propose(std::size_t j, std::size_t i, MatrixView<const float> by_input) {
  const auto weight = static_cast<double>(circuit_.propose(j, i));
  const std::span<const float> input = by_input.row(i);
  for (std::size_t b = 0; b < input.size(); ++b) {
    proposed_[b] = pre_activation_[b] - weight * static_cast<double>(input[b]);
  }
}

void SuffixPruning::accept(std::size_t layer, std::size_t j, std::size_t i) {
  kept_.remove(layer, j, i);
  std::copy(proposed_.begin(), proposed_.end(), pre_activation_.begin());
}

void SuffixPruning::activate_proposed() {
  std::transform(proposed_.begin(), proposed_.end(), delta_.begin(),
                 [](double z) { return static_cast<float>(z); });
  const MatrixView<float> row(delta_.data(), 1, batch_, batch_);
  context_.backend.activate(topology_.activation, row, row, context_);
  for (std::size_t b = 0; b < batch_; ++b) {
    delta_[b] -= start_[b];
  }
}

MatrixView<const float> SuffixPruning::suffix(std::size_t layer, MatrixView<const float> next,
                                              MatrixView<const float> columns) {
  const kernels::SparseRows<float> rows{sample_, unit_, delta_};
  if (layer + 1 == topology_.hidden.size()) {
    context_.backend.rank_one_rows(next, columns, rows, false, logits_, context_);
    return logits_;
  }
  const bool relu = topology_.activation == kernels::Activation::kRelu;
  MatrixView<float> h = scratch_.next(batch_, next.cols());
  context_.backend.rank_one_rows(next, columns, rows, relu, h, context_);
  if (!relu) {
    context_.backend.activate(topology_.activation, h, h, context_);
  }
  for (std::size_t above = layer + 2; above < topology_.hidden.size(); ++above) {
    const MatrixView<float> higher = scratch_.next(batch_, topology_.hidden[above]);
    circuit_layer(probe_, circuit_, above, h, higher, context_);
    h = higher;
  }
  circuit_layer(probe_, circuit_, topology_.hidden.size(), h, logits_, context_);
  return logits_;
}

Flops SuffixPruning::flops(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t hidden = topology.hidden.size();
  const std::size_t batch = problem.batch;
  const Flops decision = Circuit::decision_flops(problem);
  Flops total =
      readout_flops(topology, batch) + Flops{topology.outputs} * topology.hidden.back() * decision;
  for (std::size_t layer = lowest_wanted(topology, problem.options); layer < hidden; ++layer) {
    const std::size_t width = topology.hidden[layer];
    const std::size_t above = topology.fan_out(layer + 1);
    const Flops edge = kernels::activate_flops(topology.activation, batch) +
                       SuffixSweep::flops(topology, layer, batch) + decision;
    total += forward_layers_flops(topology, layer, layer + 1, batch) +
             kernels::gemm_flops({batch, above, width}, {.biased = true}) +
             width * kernels::rank_one_rows_flops(batch, above) +
             Flops{width} * topology.fan_in(layer) * edge;
  }
  return total;
}

}  // namespace interpscale::methods::engine
