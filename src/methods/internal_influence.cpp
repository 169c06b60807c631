// How strongly the target output depends on each neuron along the way from a baseline: the mean of
// its gradient over the path, by Gauss-Legendre quadrature.
//
// All neurons of all layers share one sweep of K forward and K backward passes, whose nodes are
// stacked into matrix products.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/path.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/quadrature.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec internal_influence();

namespace {

using engine::layer_rows;
using engine::LayerStack;
using engine::path_steps;
using kernels::Context;
using kernels::Flops;

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  std::vector<double> positions(path_steps(probe.options));
  std::vector<double> weights(positions.size());
  engine::gauss_legendre(positions, weights);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    for (std::size_t row = 0; row < out.rows(); ++row) {
      out(row, b) = 0.0;
    }
    for (std::size_t k = 0; k < positions.size(); ++k) {
      const engine::PlainTrace trace =
          engine::plain_forward(probe.network, engine::plain_path_point(probe, b, positions[k]));
      std::size_t row = 0;
      for (const auto& layer :
           engine::plain_target_gradient(probe.network, trace, probe.labels[b])) {
        for (const double gradient : layer) {
          out(row++, b) += weights[k] * gradient;
        }
      }
    }
  }
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t hidden = topology.hidden.size();
  const std::size_t batch = probe.inputs.rows();
  const std::size_t steps = path_steps(probe.options);
  const std::size_t stacked = engine::stacked_nodes(batch, steps);
  const std::size_t lowest = engine::lowest_wanted(topology, probe.options);
  const Workspace::Scope scope(context.workspace);
  const engine::GaussLegendre rule(steps, context.workspace);
  const engine::FirstLayerPath path(probe, context);
  const LayerStack stack(topology, stacked * batch, context.workspace);
  const LayerStack sums(topology, batch, context.workspace);
  for (std::size_t layer = 0; layer < hidden; ++layer) {
    engine::clear(sums[layer]);
  }
  for (std::size_t first = 0; first < steps; first += stacked) {
    const std::size_t nodes = std::min(stacked, steps - first);
    for (std::size_t s = 0; s < nodes; ++s) {
      path.activations_at(static_cast<float>(rule.positions[first + s]),
                          stack[0].rows_from(s * batch, batch));
    }
    const LayerStack rows = stack.window(0, nodes * batch);
    engine::forward_layers(probe.network, 1, hidden, rows[0], rows, context);
    engine::visit_target_gradients(probe.network, rows, probe.labels, lowest, context,
                                   [&](std::size_t layer, MatrixView<const float> gradient) {
                                     if (!engine::wanted(probe.options, layer)) {
                                       return;
                                     }
                                     for (std::size_t s = 0; s < nodes; ++s) {
                                       // Adds a matrix times a number.
                                       context.backend.accumulate_jacobian(
                                           gradient.rows_from(s * batch, batch),
                                           static_cast<float>(rule.weights[first + s]), false,
                                           sums[layer], context);
                                     }
                                   });
  }
  for (std::size_t layer = lowest; layer < hidden; ++layer) {
    if (engine::wanted(probe.options, layer)) {
      context.backend.transpose(sums[layer], layer_rows(out, topology, layer), context);
    }
  }
}

void run_naive(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t batch = probe.inputs.rows();
  const std::size_t steps = path_steps(probe.options);
  const Workspace::Scope scope(context.workspace);
  const engine::GaussLegendre rule(steps, context.workspace);
  engine::PathPasses path(probe, context);
  probe.tape.batch = batch;
  const LayerStack h(probe.tape, context.workspace);
  const MatrixView<float> sum = context.workspace.matrix<float>(batch, 1);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    if (!engine::wanted(probe.options, layer)) {
      continue;
    }
    const MatrixView<float> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      engine::clear(sum);
      for (std::size_t k = 0; k < steps; ++k) {
        path.forward(rule.positions[k]);
        engine::visit_target_gradients(probe.network, h, probe.labels, layer, context,
                                       [&](std::size_t visited, MatrixView<const float> gradient) {
                                         if (visited == layer) {
                                           context.backend.accumulate_jacobian(
                                               gradient.cols_from(j, 1),
                                               static_cast<float>(rule.weights[k]), false, sum,
                                               context);
                                         }
                                       });
      }
      context.backend.transpose(sum, rows.rows_from(j, 1), context);
    }
  }
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t steps = path_steps(problem.options);
  const std::size_t rows = checked_product(steps, problem.batch);
  Flops flops = engine::FirstLayerPath::ends_flops(problem) +
                steps * engine::FirstLayerPath::node_flops(problem) +
                engine::forward_layers_flops(topology, 1, topology.hidden.size(), rows) +
                engine::target_gradients_flops(
                    topology, engine::lowest_wanted(topology, problem.options), rows);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    flops +=
        engine::wanted(problem.options, layer)
            ? steps * kernels::accumulate_jacobian_flops(problem.batch, 1, topology.hidden[layer])
            : 0;
  }
  return {flops, engine::floor_bytes(problem, problem.batch)};
}

Cost cost_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t steps = path_steps(problem.options);
  Flops flops = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    if (!engine::wanted(problem.options, layer)) {
      continue;
    }
    flops += topology.hidden[layer] * steps *
             (engine::PathPasses::forward_flops(problem) +
              engine::target_gradients_flops(topology, layer, problem.batch) +
              kernels::accumulate_jacobian_flops(problem.batch, 1, 1));
  }
  return {flops, engine::floor_bytes(problem, problem.batch)};
}

std::uint64_t workspace_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t steps = path_steps(problem.options);
  const std::size_t rows = engine::stacked_nodes(problem.batch, steps) * problem.batch;
  return engine::GaussLegendre::scratch_bytes(steps) +
         engine::FirstLayerPath::scratch_bytes(problem) + LayerStack::bytes(topology, rows) +
         LayerStack::bytes(topology, problem.batch) +
         engine::PingPong::bytes(rows, engine::widest_from(topology, 0));
}

std::uint64_t workspace_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  return engine::GaussLegendre::scratch_bytes(path_steps(problem.options)) +
         engine::PathPasses::scratch_bytes(problem) + LayerStack::tape_bytes(topology) +
         engine::matrix_bytes<float>(problem.batch, 1) +
         engine::PingPong::bytes(problem.batch, engine::widest_from(topology, 0));
}

/// The slopes', the gradient's, and that of a mean of K terms with positive weights.
double relative_rounding(const nn::Topology& topology, std::size_t steps, double roundoff) {
  return engine::forward_rounding(topology, roundoff) +
         engine::backward_rounding(topology, roundoff) +
         engine::kConditioning * engine::gamma(steps + 2, roundoff);
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return relative_rounding(problem.topology, path_steps(problem.options), engine::kFloatRoundoff) *
         engine::largest_magnitude(reference_values);
}

/// The read-out is linear: its weights are the gradient everywhere on the path.
Identity::Verdict last_layer_weights(const Probe<double>& probe, const Context<double>&,
                                     MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const Matrix<double>& readout = probe.network.layers.back().weights;
  const MatrixView<const double> rows = layer_rows(values, topology, topology.hidden.size() - 1);
  Identity::Verdict verdict;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      verdict.deviation =
          std::fmax(verdict.deviation, std::abs(rows(j, b) - readout(probe.labels[b], j)));
    }
  }
  verdict.allowed = relative_rounding(topology, path_steps(probe.options), epsilon) *
                    engine::largest_magnitude(readout);
  return verdict;
}

/// One node: the gradient halfway.
Identity::Verdict midpoint(const Probe<double>& probe, const Context<double>&,
                           MatrixView<const double> values, double epsilon) {
  if (path_steps(probe.options) != 1) {
    return {};
  }
  const nn::Topology& topology = probe.network.topology;
  Identity::Verdict verdict;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace =
        engine::plain_forward(probe.network, engine::plain_path_point(probe, b, 0.5));
    std::size_t row = 0;
    for (const auto& layer : engine::plain_target_gradient(probe.network, trace, probe.labels[b])) {
      for (const double gradient : layer) {
        verdict.deviation = std::fmax(verdict.deviation, std::abs(values(row++, b) - gradient));
      }
    }
  }
  verdict.allowed = relative_rounding(topology, 1, epsilon) * engine::largest_magnitude(values);
  return verdict;
}

}  // namespace

MethodSpec internal_influence() {
  return {
      .name = "internal_influence",
      .summary = "mean gradient of the target output in every neuron along a path",
      .formula = "sum_k w_k dF/dh at x' + t_k (x - x'), Gauss-Legendre nodes t_k, weights w_k",
      .source =
          "Leino et al., Influence-directed explanations for deep convolutional networks, "
          "ITC 2018",
      .columns = Columns::kSamples,
      .statistics = {},
      .column_count = [](const Problem& problem) { return problem.batch; },
      .reference = reference,
      .variants = {{.name = "naive",
                    .summary = "the whole path, K forward and K backward passes, per neuron",
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
      .identities = {{"last hidden layer: the target's read-out weights", last_layer_weights},
                     {"one node: the gradient at the path's midpoint", midpoint}},
  };
}

}  // namespace interpscale::methods
