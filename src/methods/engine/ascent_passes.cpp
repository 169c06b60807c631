// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/ascent_passes.hpp"

#include <algorithm>

#include "interpscale/core/parallel.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/pre_activations.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {

using kernels::Context;
using kernels::Flops;
using kernels::GemmCase;

namespace {

/// g, the gradient in the activations of hidden layer `above` - 1, handed down to the inputs.
void hand_down(const nn::Mlp<float>& network, const LayerStack& h, std::size_t above,
               MatrixView<float> g, PingPong& scratch, MatrixView<float> gradients,
               const Context<float>& context) {
  for (std::size_t k = above; k-- > 0;) {
    context.backend.multiply_by_slope(network.topology.activation, h[k], g, context);
    const MatrixView<float> below =
        k == 0 ? gradients : scratch.next(g.rows(), network.topology.fan_in(k));
    context.backend.gemm(GemmCase::kNN, g, network.layers[k].weights, below, {}, context);
    g = below;
  }
}

Flops hand_down_flops(const nn::Topology& topology, std::size_t above, std::size_t rows) {
  Flops total = 0;
  for (std::size_t k = 0; k < above; ++k) {
    const std::size_t width = topology.hidden[k];
    total += kernels::multiply_by_slope_flops(topology.activation, std::uint64_t{rows} * width) +
             kernels::gemm_flops({rows, topology.fan_in(k), width});
  }
  return total;
}

}  // namespace

std::size_t ascent_starts(const MethodOptions& options) {
  require(options.starts > 0, "an ascent needs a start");
  return static_cast<std::size_t>(options.starts);
}

void set_starts(MatrixView<const float> starts, MatrixView<float> points) {
  for (std::size_t r = 0; r < points.rows(); ++r) {
    const std::span<const float> start = starts.row(r % starts.rows());
    std::copy(start.begin(), start.end(), points.row_data(r));
  }
}

AscentTile::AscentTile(const Probe<float>& probe, std::size_t layer, std::size_t rows,
                       const Context<float>& context)
    : probe_(probe),
      layer_(layer),
      context_(context),
      stack_(probe.network.topology, rows, context.workspace),
      h_(stack_),
      scratch_(rows, widest(probe.network.topology), context.workspace) {}

void AscentTile::begin(std::size_t first, std::size_t rows) {
  first_ = first;
  h_ = stack_.window(0, rows);
}

void AscentTile::at(const Ascent& ascent, MatrixView<const float> points, std::span<float> values,
                    MatrixView<float> gradients) {
  forward_layers(probe_.network, 0, layer_, points, h_, context_);
  finish(ascent, points, values, gradients);
}

void AscentTile::at_starts(const LayerStack& starts, const Ascent& ascent,
                           MatrixView<const float> points, std::span<float> values,
                           MatrixView<float> gradients) {
  for (std::size_t k = 0; k < layer_; ++k) {
    set_starts(starts[k], h_[k]);
  }
  finish(ascent, points, values, gradients);
}

void AscentTile::finish(const Ascent& ascent, MatrixView<const float> points,
                        std::span<float> values, MatrixView<float> gradients) {
  const nn::DenseLayer<float>& dense = probe_.network.layers[layer_];
  const std::size_t starts = ascent_starts(probe_.options);
  const MatrixView<const float> below =
      layer_ == 0 ? points : MatrixView<const float>(h_[layer_ - 1]);
  const MatrixView<float> product = scratch_.next(below.rows(), below.cols());
  // In the first layer, a row of weights is the gradient.
  const MatrixView<float> g =
      layer_ == 0 && !gradients.empty() ? gradients : scratch_.next(below.rows(), below.cols());
  parallel_for(context_.threads, g.rows(), [&](std::size_t r) {
    const std::span<const float> weights = dense.weights.row(first_ + r / starts);
    std::copy(weights.begin(), weights.end(), g.row_data(r));
  });
  ascent.dots(below, g, product, values);
  for (std::size_t r = 0; r < values.size(); ++r) {
    values[r] += dense.bias[first_ + r / starts];
  }
  if (layer_ > 0 && !gradients.empty()) {
    hand_down(probe_.network, h_, layer_, g, scratch_, gradients, context_);
  }
}

Flops AscentTile::flops(const nn::Topology& topology, std::size_t layer, std::size_t rows,
                        bool with_gradient) {
  return forward_layers_flops(topology, 0, layer, rows) +
         starts_flops(topology, layer, rows, with_gradient);
}

Flops AscentTile::starts_flops(const nn::Topology& topology, std::size_t layer, std::size_t rows,
                               bool with_gradient) {
  return Ascent::dots_flops(rows, topology.fan_in(layer)) +
         (with_gradient ? hand_down_flops(topology, layer, rows) : 0);
}

std::uint64_t AscentTile::bytes(const nn::Topology& topology, std::size_t rows) {
  return LayerStack::bytes(topology, rows) + PingPong::bytes(rows, widest(topology));
}

std::size_t AscentTile::widest(const nn::Topology& topology) {
  return std::max(topology.inputs, widest_from(topology, 0));
}

WholeAscent::WholeAscent(const Probe<float>& probe, const Context<float>& context)
    : probe_(probe),
      context_(context),
      z_(probe.network.topology, ascent_starts(probe.options), context.workspace),
      h_(probe.network.topology, ascent_starts(probe.options), context.workspace),
      logits_(context.workspace.matrix<float>(ascent_starts(probe.options),
                                              probe.network.topology.outputs)),
      scratch_(ascent_starts(probe.options), widest_from(probe.network.topology, 0),
               context.workspace) {}

void WholeAscent::at(std::size_t layer, std::size_t unit, MatrixView<const float> points,
                     std::span<float> values, MatrixView<float> gradients) {
  const nn::Topology& topology = probe_.network.topology;
  forward_with_pre_activations(probe_.network, points, z_, h_, context_);
  forward_readout(probe_.network, h_[topology.hidden.size() - 1], logits_, context_);
  for (std::size_t s = 0; s < values.size(); ++s) {
    values[s] = z_[layer](s, unit);
  }
  if (gradients.empty()) {
    return;
  }
  const MatrixView<float> of_unit = scratch_.next(points.rows(), topology.hidden[layer]);
  clear(of_unit);
  for (std::size_t s = 0; s < of_unit.rows(); ++s) {
    of_unit(s, unit) = 1.0F;
  }
  const MatrixView<float> below =
      layer == 0 ? gradients : scratch_.next(points.rows(), topology.fan_in(layer));
  context_.backend.gemm(GemmCase::kNN, of_unit, probe_.network.layers[layer].weights, below, {},
                        context_);
  hand_down(probe_.network, h_, layer, below, scratch_, gradients, context_);
}

Flops WholeAscent::forward_flops(const Problem& problem) {
  const std::size_t starts = ascent_starts(problem.options);
  return forward_with_pre_activations_flops(problem.topology, starts) +
         readout_flops(problem.topology, starts);
}

Flops WholeAscent::backward_flops(const Problem& problem, std::size_t layer) {
  const nn::Topology& topology = problem.topology;
  const std::size_t starts = ascent_starts(problem.options);
  return kernels::gemm_flops({starts, topology.fan_in(layer), topology.hidden[layer]}) +
         hand_down_flops(topology, layer, starts);
}

std::uint64_t WholeAscent::bytes(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t starts = ascent_starts(problem.options);
  return 2 * LayerStack::bytes(topology, starts) + matrix_bytes<float>(starts, topology.outputs) +
         PingPong::bytes(starts, widest_from(topology, 0));
}

}  // namespace interpscale::methods::engine
