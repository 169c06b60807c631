// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/splice.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>

#include "interpscale/core/require.hpp"
#include "interpscale/nn/loss.hpp"
#include "interpscale/nn/passes.hpp"

namespace interpscale::modules {
namespace {

using kernels::Context;
using kernels::Epilogue;
using kernels::GemmCase;

constexpr std::size_t kChunk = 1024;

/// out [B, rows] := W x + b, activated or not.
void dense(const nn::DenseLayer<float>& layer, bool activated, kernels::Activation phi,
           MatrixView<const float> in, MatrixView<float> out, const Context<float>& context) {
  const bool fused = activated && phi == kernels::Activation::kRelu;
  context.backend.gemm(GemmCase::kNT, in, layer.weights, out,
                       Epilogue<float>{.bias = layer.bias, .relu = fused}, context);
  if (activated && !fused) {
    context.backend.activate(phi, out, out, context);
  }
}

/// Columns of `from` to the places of these units.
void scatter(MatrixView<const float> from, std::span<const std::uint32_t> units,
             MatrixView<float> to) {
  for (std::size_t b = 0; b < from.rows(); ++b) {
    const std::span<const float> source = from.row(b);
    const std::span<float> target = to.row(b);
    for (std::size_t i = 0; i < units.size(); ++i) {
      target[units[i]] = source[i];
    }
  }
}

}  // namespace

SplicedNetwork::SplicedNetwork(const nn::Mlp<float>& network,
                               const std::vector<Surrogate>& surrogates)
    : network_(network), layers_(network.topology.hidden.size()) {
  std::vector<std::vector<bool>> replaced;
  for (const std::size_t width : network.topology.hidden) {
    replaced.emplace_back(width, false);
  }
  for (const Surrogate& surrogate : surrogates) {
    for (const UnitMap& map : surrogate) {
      require(map.layer < layers_.size() && !map.stages.empty() && map.stages.size() <= 2 &&
                  map.stages.front().dense.weights.cols() == network.topology.fan_in(map.layer) &&
                  map.stages.back().dense.weights.rows() == map.units.size(),
              "splice: a surrogate that does not fit the network");
      for (const std::uint32_t unit : map.units) {
        require(unit < replaced[map.layer].size() && !replaced[map.layer][unit],
                "splice: no such neuron, or replaced twice");
        replaced[map.layer][unit] = true;
      }
      layers_[map.layer].maps.push_back(map);
    }
  }
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    if (layer.maps.empty()) {
      continue;
    }
    for (std::size_t j = 0; j < replaced[l].size(); ++j) {
      if (!replaced[l][j]) {
        layer.kept.push_back(static_cast<std::uint32_t>(j));
      }
    }
    const nn::DenseLayer<float>& whole = network.layers[l];
    layer.own = {Matrix<float>(layer.kept.size(), whole.weights.cols()),
                 AlignedVector<float>(layer.kept.size())};
    for (std::size_t i = 0; i < layer.kept.size(); ++i) {
      std::ranges::copy(whole.weights.row(layer.kept[i]), layer.own.weights.row(i).begin());
      layer.own.bias[i] = whole.bias[layer.kept[i]];
    }
    for (const bool activated : {false, true}) {
      if (Stack stack = stacked(layer.maps, activated); !stack.maps.empty()) {
        layer.stacks.push_back(std::move(stack));
      }
    }
  }
}

void SplicedNetwork::spliced_layer(const Layer& layer, MatrixView<const float> below,
                                   MatrixView<float> above, const Context<float>& context) const {
  const kernels::Activation phi = network_.topology.activation;
  const std::size_t batch = below.rows();
  if (!layer.kept.empty()) {
    const Workspace::Scope scope(context.workspace);
    const MatrixView<float> own = context.workspace.matrix<float>(batch, layer.kept.size());
    dense(layer.own, true, phi, below, own, context);
    scatter(own, layer.kept, above);
  }
  const auto last_stage = [&](const UnitMap& map, MatrixView<const float> in) {
    const Workspace::Scope scope(context.workspace);
    const MatrixView<float> out = context.workspace.matrix<float>(batch, map.units.size());
    dense(map.stages.back().dense, map.stages.back().activated, phi, in, out, context);
    scatter(out, map.units, above);
  };
  for (const UnitMap& map : layer.maps) {
    if (map.stages.size() == 1) {
      last_stage(map, below);
    }
  }
  for (const Stack& stack : layer.stacks) {
    const Workspace::Scope scope(context.workspace);
    const MatrixView<float> first =
        context.workspace.matrix<float>(batch, stack.first.weights.rows());
    dense(stack.first, stack.activated, phi, below, first, context);
    for (std::size_t i = 0; i < stack.maps.size(); ++i) {
      const UnitMap& map = layer.maps[stack.maps[i]];
      last_stage(map, first.cols_from(stack.begin[i], map.stages.front().dense.weights.rows()));
    }
  }
}

SplicedNetwork::Stack SplicedNetwork::stacked(const std::vector<UnitMap>& maps, bool activated) {
  Stack stack;
  stack.activated = activated;
  std::size_t rows = 0;
  for (std::size_t m = 0; m < maps.size(); ++m) {
    if (maps[m].stages.size() == 2 && maps[m].stages.front().activated == activated) {
      stack.maps.push_back(m);
      stack.begin.push_back(rows);
      rows += maps[m].stages.front().dense.weights.rows();
    }
  }
  if (rows == 0) {
    return stack;
  }
  const std::size_t in = maps.front().stages.front().dense.weights.cols();
  stack.first = {Matrix<float>(rows, in), AlignedVector<float>(rows)};
  for (std::size_t i = 0; i < stack.maps.size(); ++i) {
    const nn::DenseLayer<float>& from = maps[stack.maps[i]].stages.front().dense;
    copy(from.weights.view(),
         stack.first.weights.view().rows_from(stack.begin[i], from.weights.rows()));
    std::ranges::copy(from.bias,
                      stack.first.bias.begin() + static_cast<std::ptrdiff_t>(stack.begin[i]));
  }
  return stack;
}

void SplicedNetwork::forward(MatrixView<const float> inputs, nn::Tape<float>& tape,
                             const Context<float>& context) const {
  const bool whole = std::ranges::all_of(layers_, [](const Layer& l) { return l.maps.empty(); });
  if (whole) {
    nn::forward<float>(network_, inputs, tape, context);
    return;
  }
  require(inputs.cols() == network_.topology.inputs && tape.activations.size() == layers_.size() &&
              inputs.rows() <= tape.logits.rows(),
          "splice: inputs or tape of another network");
  tape.batch = inputs.rows();
  MatrixView<const float> below = inputs;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const MatrixView<float> above = tape.activation(l);
    layer(l, below, above, context);
    below = above;
  }
  dense(network_.layers.back(), false, network_.topology.activation, below, tape.output(), context);
}

void SplicedNetwork::layer(std::size_t layer, MatrixView<const float> below,
                           MatrixView<float> above, const Context<float>& context) const {
  if (layers_[layer].maps.empty()) {
    dense(network_.layers[layer], true, network_.topology.activation, below, above, context);
  } else {
    spliced_layer(layers_[layer], below, above, context);
  }
}

std::uint64_t SplicedNetwork::parameters() const {
  std::uint64_t count = network_.topology.parameters();
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    for (const UnitMap& map : layers_[l].maps) {
      count += map.parameters();
      count -= map.units.size() * (network_.topology.fan_in(l) + 1);
    }
  }
  return count;
}

SampleLosses losses_of(const SplicedNetwork& network, const data::Dataset& dataset,
                       const Context<float>& context, MatrixView<float> outputs) {
  const std::size_t examples = dataset.inputs.rows();
  require(examples > 0, "losses of an empty data set");
  const std::size_t capacity = std::min(kChunk, examples);
  const nn::Topology& topology = network.network().topology;
  const bool labelled = !dataset.labels.empty();
  nn::Tape<float> tape(topology, capacity);
  Matrix<float> gradient(capacity, topology.outputs);
  SampleLosses result;
  result.losses.resize(examples);
  for (std::size_t first = 0; first < examples; first += capacity) {
    const std::size_t rows = std::min(capacity, examples - first);
    network.forward(dataset.inputs.view().rows_from(first, rows), tape, context);
    nn::Targets<float> targets;
    if (labelled) {
      targets.labels = std::span(dataset.labels).subspan(first, rows);
      result.accuracy +=
          static_cast<double>(rows) * nn::accuracy<float>(tape.output(), targets.labels);
    } else {
      targets.values = dataset.targets.view().rows_from(first, rows);
    }
    const nn::Loss loss = labelled ? nn::Loss::kCrossEntropy : nn::Loss::kMeanSquaredError;
    const MatrixView<const float> logits = tape.output();
    static_cast<void>(nn::loss_and_gradient<float>(loss, logits, targets,
                                                   std::span(result.losses).subspan(first, rows),
                                                   gradient.view().rows_from(0, rows), context));
    if (!outputs.empty()) {
      copy(logits, outputs.rows_from(first, rows));
    }
  }
  result.loss = std::accumulate(result.losses.begin(), result.losses.end(), 0.0) /
                static_cast<double>(examples);
  result.accuracy /= static_cast<double>(examples);
  return result;
}

Leak leak_of(const SampleLosses& spliced, const SampleLosses& whole) {
  const std::size_t samples = whole.losses.size();
  require(samples > 1 && spliced.losses.size() == samples, "leak: losses of different samples");
  double sum = 0;
  double squares = 0;
  for (std::size_t s = 0; s < samples; ++s) {
    const double rise =
        static_cast<double>(spliced.losses[s]) - static_cast<double>(whole.losses[s]);
    sum += rise;
    squares += rise * rise;
  }
  const auto count = static_cast<double>(samples);
  const double mean = sum / count;
  const double variance = std::max(squares / count - mean * mean, 0.0) / (count - 1);
  constexpr double kNormal = 1.96;
  const double half = kNormal * std::sqrt(variance);
  return {mean, mean - half, mean + half};
}

}  // namespace interpscale::modules
