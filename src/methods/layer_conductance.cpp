// How much of the output's change along a path from a baseline flows through each neuron.
//
// Node k of K stands at x' + (k / K) (x - x'); the sum over k is a left Riemann sum in the neuron's
// own activation. All neurons of all layers share one sweep of K + 1 forward and K backward passes.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "interpscale/nn/passes.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/path.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/quadrature.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec layer_conductance();

namespace {

using engine::layer_rows;
using engine::LayerStack;
using engine::path_steps;
using kernels::Context;
using kernels::Flops;

/// Position of node k.
double position(std::size_t k, std::size_t steps) {
  return static_cast<double>(k) / static_cast<double>(steps);
}

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  const std::size_t steps = path_steps(probe.options);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    for (std::size_t row = 0; row < out.rows(); ++row) {
      out(row, b) = 0.0;
    }
    for (std::size_t k = 0; k < steps; ++k) {
      const auto now = engine::plain_forward(
          probe.network, engine::plain_path_point(probe, b, position(k, steps)));
      const auto next = engine::plain_forward(
          probe.network, engine::plain_path_point(probe, b, position(k + 1, steps)));
      const auto gradient = engine::plain_target_gradient(probe.network, now, probe.labels[b]);
      std::size_t row = 0;
      for (std::size_t layer = 0; layer < gradient.size(); ++layer) {
        for (std::size_t j = 0; j < gradient[layer].size(); ++j) {
          out(row++, b) += (next.h[layer][j] - now.h[layer][j]) * gradient[layer][j];
        }
      }
    }
  }
}

/// Copies rows [from, from + count) of every layer to the rows from 0 on.
void move_to_front(const LayerStack& stack, std::size_t layers, std::size_t from,
                   std::size_t count) {
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const MatrixView<float> h = stack[layer];
    for (std::size_t r = 0; r < count; ++r) {
      std::copy(h.row(from + r).begin(), h.row(from + r).end(), h.row_data(r));
    }
  }
}

/// Activations of nodes first + 1 ... first + nodes into blocks 1 ... nodes of the stack.
void forward_nodes(const Probe<float>& probe, const engine::FirstLayerPath& path, std::size_t first,
                   std::size_t nodes, const LayerStack& stack, const Context<float>& context) {
  const std::size_t batch = probe.inputs.rows();
  const std::size_t steps = path_steps(probe.options);
  for (std::size_t s = 1; s <= nodes; ++s) {
    path.activations_at(static_cast<float>(position(first + s, steps)),
                        stack[0].rows_from(s * batch, batch));
  }
  const LayerStack blocks = stack.window(batch, nodes * batch);
  engine::forward_layers(probe.network, 1, probe.network.topology.hidden.size(), blocks[0], blocks,
                         context);
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t hidden = topology.hidden.size();
  const std::size_t batch = probe.inputs.rows();
  const std::size_t steps = path_steps(probe.options);
  const std::size_t stacked = engine::stacked_nodes(batch, steps);
  const Workspace::Scope scope(context.workspace);
  const engine::FirstLayerPath path(probe, context);
  const LayerStack stack(topology, (stacked + 1) * batch, context.workspace);
  const LayerStack sums(topology, batch, context.workspace);
  for (std::size_t layer = 0; layer < hidden; ++layer) {
    engine::clear(sums[layer]);
  }
  path.activations_at(0.0F, stack[0].rows_from(0, batch));
  const LayerStack start = stack.window(0, batch);
  engine::forward_layers(probe.network, 1, hidden, start[0], start, context);
  for (std::size_t first = 0; first < steps; first += stacked) {
    const std::size_t nodes = std::min(stacked, steps - first);
    forward_nodes(probe, path, first, nodes, stack, context);
    engine::visit_target_gradients(
        probe.network, stack.window(0, nodes * batch), probe.labels, 0, context,
        [&](std::size_t layer, MatrixView<const float> gradient) {
          for (std::size_t s = 0; s < nodes; ++s) {
            context.backend.accumulate_path_step(stack[layer].rows_from((s + 1) * batch, batch),
                                                 stack[layer].rows_from(s * batch, batch),
                                                 gradient.rows_from(s * batch, batch), sums[layer],
                                                 context);
          }
        });
    move_to_front(stack, hidden, nodes * batch, batch);
  }
  for (std::size_t layer = 0; layer < hidden; ++layer) {
    context.backend.transpose(sums[layer], layer_rows(out, topology, layer), context);
  }
}

void run_naive(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t batch = probe.inputs.rows();
  const std::size_t steps = path_steps(probe.options);
  const Workspace::Scope scope(context.workspace);
  engine::PathPasses path(probe, context);
  probe.tape.batch = batch;
  const LayerStack h(probe.tape, context.workspace);
  const MatrixView<float> now = context.workspace.matrix<float>(batch, 1);
  const MatrixView<float> gradient_now = context.workspace.matrix<float>(batch, 1);
  const MatrixView<float> sum = context.workspace.matrix<float>(batch, 1);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<float> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      engine::clear(sum);
      path.forward(0.0);
      for (std::size_t k = 0; k < steps; ++k) {
        copy(h[layer].cols_from(j, 1), now);
        engine::visit_target_gradients(probe.network, h, probe.labels, layer, context,
                                       [&](std::size_t visited, MatrixView<const float> gradient) {
                                         if (visited == layer) {
                                           copy(gradient.cols_from(j, 1), gradient_now);
                                         }
                                       });
        path.forward(position(k + 1, steps));
        context.backend.accumulate_path_step(h[layer].cols_from(j, 1), now, gradient_now, sum,
                                             context);
      }
      context.backend.transpose(sum, rows.rows_from(j, 1), context);
    }
  }
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t steps = path_steps(problem.options);
  const std::size_t rows = checked_product(steps, problem.batch);
  const Flops flops =
      engine::FirstLayerPath::ends_flops(problem) +
      (steps + 1) * engine::FirstLayerPath::node_flops(problem) +
      engine::forward_layers_flops(topology, 1, topology.hidden.size(), rows + problem.batch) +
      engine::target_gradients_flops(topology, 0, rows) +
      kernels::accumulate_path_step_flops(rows * topology.neurons());
  return {flops, engine::floor_bytes(problem, problem.batch)};
}

Cost cost_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t steps = path_steps(problem.options);
  const Flops forward = engine::PathPasses::forward_flops(problem);
  Flops flops = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const Flops step = engine::target_gradients_flops(topology, layer, problem.batch) +
                       kernels::accumulate_path_step_flops(problem.batch);
    flops += topology.hidden[layer] * ((steps + 1) * forward + steps * step);
  }
  return {flops, engine::floor_bytes(problem, problem.batch)};
}

std::uint64_t workspace_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t stacked = engine::stacked_nodes(problem.batch, path_steps(problem.options));
  return engine::FirstLayerPath::scratch_bytes(problem) +
         LayerStack::bytes(topology, (stacked + 1) * problem.batch) +
         LayerStack::bytes(topology, problem.batch) +
         engine::PingPong::bytes(stacked * problem.batch, engine::widest_from(topology, 0));
}

std::uint64_t workspace_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  return engine::PathPasses::scratch_bytes(problem) + LayerStack::tape_bytes(topology) +
         3 * engine::matrix_bytes<float>(problem.batch, 1) +
         engine::PingPong::bytes(problem.batch, engine::widest_from(topology, 0));
}

/// Relative to sum_k |a(k)| |dF/da|, which K steps of size 1/K keep near one activation times one
/// gradient: the passes' error, and that of a sum of K terms.
double relative_rounding(const nn::Topology& topology, std::size_t steps, double roundoff) {
  return engine::forward_rounding(topology, roundoff) +
         engine::backward_rounding(topology, roundoff) +
         engine::kConditioning * engine::gamma(steps + 2, roundoff);
}

/// A step's difference of activations carries their absolute error, K times over the path.
double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  const std::size_t steps = path_steps(problem.options);
  return relative_rounding(problem.topology, steps, engine::kFloatRoundoff) *
         std::sqrt(static_cast<double>(steps)) * engine::largest_magnitude(reference_values);
}

/// Completeness: a layer's values add up to F(x) - F(x'). Between two nodes the sum misses
/// F(k + 1) - F(k) - sum_j (a_j(k + 1) - a_j(k)) dF/da_j(k), which is computed here in double.
Identity::Verdict completeness(const Probe<double>& probe, const Context<double>&,
                               MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t steps = path_steps(probe.options);
  const double rounding =
      relative_rounding(topology, steps, epsilon) * std::sqrt(static_cast<double>(steps));
  Identity::Verdict worst;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const std::uint32_t target = probe.labels[b];
    std::vector<double> remainder(topology.hidden.size(), 0.0);
    std::vector<double> magnitude(topology.hidden.size(), 0.0);
    auto now = engine::plain_forward(probe.network, engine::plain_path_point(probe, b, 0.0));
    const double start = now.logits[target];
    for (std::size_t k = 0; k < steps; ++k) {
      auto next = engine::plain_forward(probe.network,
                                        engine::plain_path_point(probe, b, position(k + 1, steps)));
      const auto gradient = engine::plain_target_gradient(probe.network, now, target);
      for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
        double missed = next.logits[target] - now.logits[target];
        for (std::size_t j = 0; j < gradient[layer].size(); ++j) {
          const double change = next.h[layer][j] - now.h[layer][j];
          missed -= change * gradient[layer][j];
          magnitude[layer] += std::abs(change * gradient[layer][j]);
        }
        remainder[layer] += std::abs(missed);
      }
      now = std::move(next);
    }
    for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
      const MatrixView<const double> rows = layer_rows(values, topology, layer);
      double sum = start - now.logits[target];
      for (std::size_t j = 0; j < rows.rows(); ++j) {
        sum += rows(j, b);
      }
      const double scale = magnitude[layer] + std::abs(start) + std::abs(now.logits[target]);
      const double allowed = remainder[layer] + rounding * scale;
      if (std::abs(sum) - allowed > worst.deviation - worst.allowed || worst.allowed == 0.0) {
        worst = {std::abs(sum), allowed};
      }
    }
  }
  return worst;
}

}  // namespace

MethodSpec layer_conductance() {
  return {
      .name = "layer_conductance",
      .summary = "share of the output's change along a path that flows through every neuron",
      .formula = "sum_(k<K) (h(k+1) - h(k)) dF/dh(k), node k at x' + (k/K) (x - x')",
      .source = "Dhamdhere et al., How important is a neuron?, ICLR 2019",
      .columns = Columns::kSamples,
      .statistics = {},
      .column_count = [](const Problem& problem) { return problem.batch; },
      .reference = reference,
      .variants = {{.name = "naive",
                    .summary = "the whole path, K + 1 forward and K backward passes, per neuron",
                    .exponents = {.parameters = 1, .neurons = 1, .batch = 1, .inputs = 0},
                    .cost = cost_naive,
                    .workspace_bytes = workspace_naive,
                    .run = run_naive},
                   {.name = "fast",
                    .summary = "one path for all neurons; the first pre-activation interpolated, "
                               "nodes stacked into matrix products",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"a layer's values add up to F(x) - F(x'), but for the quadrature's remainder",
                      completeness}},
  };
}

}  // namespace interpscale::methods
