// What a neuron responds to: the gradient of its activation in the inputs, over the batch.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "interpscale/nn/passes.hpp"
#include "methods/engine/activity.hpp"
#include "methods/engine/jacobian.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec neuron_gradient();

namespace {

using engine::layer_rows;
using kernels::Context;
using kernels::Flops;

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  const nn::Topology& topology = probe.network.topology;
  const auto batch = static_cast<double>(probe.inputs.rows());
  std::vector<engine::PlainTrace> traces;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    traces.push_back(engine::plain_forward(probe.network, probe.inputs.row(b)));
  }
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<double> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      std::fill(rows.row(j).begin(), rows.row(j).end(), 0.0);
      for (const engine::PlainTrace& trace : traces) {
        const auto gradient = engine::plain_input_gradient(probe.network, trace, layer, j);
        for (std::size_t i = 0; i < gradient.size(); ++i) {
          rows(j, i) += (probe.options.absolute ? std::abs(gradient[i]) : gradient[i]) / batch;
        }
      }
    }
  }
}

std::size_t tile_of(const nn::Topology& topology, std::size_t batch, const MethodOptions& options) {
  return engine::jacobian_tile(topology, batch,
                               std::min(options.workspace_bytes, engine::kJacobianTileBytes));
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  nn::forward(probe.network, probe.inputs, probe.tape, context);
  const nn::Topology& topology = probe.network.topology;
  const std::size_t batch = probe.inputs.rows();
  const std::size_t tile = tile_of(topology, batch, probe.options);
  const Workspace::Scope scope(context.workspace);
  const engine::LayerStack h(probe.tape, context.workspace);
  engine::PingPong scratch = engine::jacobian_scratch(topology, tile, context.workspace);
  const float scale = 1.0F / static_cast<float>(batch);
  engine::clear(out);
  for (std::size_t first = 0; first < batch; first += tile) {
    const std::size_t samples = std::min(tile, batch - first);
    const engine::LayerStack rows = h.window(first, samples);
    if (engine::goes_by_activity(topology)) {
      engine::visit_active_jacobians(probe.network, rows, {}, scratch, context,
                                     [&](std::size_t layer, MatrixView<const float> jacobian) {
                                       context.backend.accumulate_active_jacobian(
                                           {rows[layer], {}, scale, probe.options.absolute},
                                           jacobian, layer_rows(out, topology, layer), context);
                                     });
      continue;
    }
    engine::visit_jacobians(probe.network, rows, scratch, context,
                            [&](std::size_t layer, MatrixView<const float> jacobian) {
                              context.backend.accumulate_jacobian(
                                  jacobian, scale, probe.options.absolute,
                                  layer_rows(out, topology, layer), context);
                            });
  }
}

void run_naive(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Mlp<float>& network = probe.network;
  const nn::Topology& topology = network.topology;
  const std::size_t batch = probe.inputs.rows();
  const std::size_t d = topology.inputs;
  const Workspace::Scope scope(context.workspace);
  engine::PingPong scratch(batch, engine::widest_from(topology, 0), context.workspace);
  float* const gradients = context.workspace.vector<float>(checked_product(batch, d)).data();
  probe.tape.batch = batch;
  const engine::LayerStack h(probe.tape, context.workspace);
  const MatrixView<float> by_sample{gradients, batch, d, d};
  const MatrixView<const float> as_jacobian{gradients, 1, batch * d, batch * d};
  engine::clear(out);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<float> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      nn::forward(network, probe.inputs, probe.tape, context);
      engine::unit_input_gradients(network, h, layer, j, scratch, by_sample, context);
      context.backend.accumulate_jacobian(as_jacobian, 1.0F / static_cast<float>(batch),
                                          probe.options.absolute, rows.rows_from(j, 1), context);
    }
  }
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t tile = tile_of(topology, problem.batch, problem.options);
  if (engine::goes_by_activity(topology)) {
    Flops flops = nn::forward_flops(topology, problem.batch);
    for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
      flops += kernels::accumulate_active_jacobian_flops(engine::active_pairs(problem, layer),
                                                         topology.inputs);
      if (layer > 0) {
        flops += kernels::next_active_jacobian_flops(engine::active_links(problem, layer - 1),
                                                     topology.inputs);
      }
    }
    return {flops, engine::floor_bytes(problem, topology.inputs)};
  }
  Flops flops =
      nn::forward_flops(topology, problem.batch) + engine::jacobians_flops(topology, problem.batch);
  for (const std::size_t width : topology.hidden) {
    flops +=
        (problem.batch / tile) * kernels::accumulate_jacobian_flops(width, tile, topology.inputs);
    if (problem.batch % tile > 0) {
      flops += kernels::accumulate_jacobian_flops(width, problem.batch % tile, topology.inputs);
    }
  }
  return {flops, engine::floor_bytes(problem, topology.inputs)};
}

Cost cost_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  Flops flops = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    flops += topology.hidden[layer] *
             (nn::forward_flops(topology, problem.batch) +
              engine::unit_input_gradients_flops(topology, layer, problem.batch) +
              kernels::accumulate_jacobian_flops(1, problem.batch, topology.inputs));
  }
  return {flops, engine::floor_bytes(problem, topology.inputs)};
}

std::uint64_t workspace_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t tile = tile_of(topology, problem.batch, problem.options);
  return engine::LayerStack::tape_bytes(topology) + engine::jacobian_scratch_bytes(topology, tile);
}

std::uint64_t workspace_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  return engine::LayerStack::tape_bytes(topology) +
         engine::PingPong::bytes(problem.batch, engine::widest_from(topology, 0)) +
         engine::vector_bytes<float>(checked_product(problem.batch, topology.inputs));
}

/// The activations' slopes, as many products again, and the mean over the batch.
double relative_rounding(const nn::Topology& topology, std::size_t batch, double roundoff) {
  return 2.0 * engine::forward_rounding(topology, roundoff) +
         engine::kConditioning * engine::gamma(batch + 2, roundoff);
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return relative_rounding(problem.topology, problem.batch, engine::kFloatRoundoff) *
         engine::largest_magnitude(reference_values);
}

/// Rows of the first hidden layer are its weights times the neuron's mean slope.
Identity::Verdict first_layer(const Probe<double>& probe, const Context<double>&,
                              MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const MatrixView<const double> weights = probe.network.layers[0].weights;
  std::vector<double> slopes(topology.hidden[0], 0.0);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    for (std::size_t j = 0; j < slopes.size(); ++j) {
      slopes[j] += engine::plain_slope(topology.activation, trace.z[0][j]) /
                   static_cast<double>(probe.inputs.rows());
    }
  }
  Identity::Verdict verdict;
  for (std::size_t j = 0; j < slopes.size(); ++j) {
    for (std::size_t i = 0; i < topology.inputs; ++i) {
      const double weight = probe.options.absolute ? std::abs(weights(j, i)) : weights(j, i);
      verdict.deviation = std::fmax(verdict.deviation, std::abs(values(j, i) - slopes[j] * weight));
    }
  }
  verdict.allowed = relative_rounding(topology, probe.inputs.rows(), epsilon) *
                    engine::largest_magnitude(weights);
  return verdict;
}

/// A ReLU network is linear around a sample: J x plus what the biases pass on is the activation.
/// Holds for a sample, hence for a batch of one.
Identity::Verdict linear_around_sample(const Probe<double>& probe, const Context<double>&,
                                       MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  if (topology.activation != kernels::Activation::kRelu || probe.inputs.rows() != 1 ||
      probe.options.absolute) {
    return {};
  }
  const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(0));
  Identity::Verdict verdict;
  double magnitude = 0.0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<const double> rows = layer_rows(values, topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      const auto gradients = engine::plain_unit_gradient(probe.network, trace, layer, j);
      double sum = 0.0;
      double terms = 0.0;
      for (std::size_t i = 0; i < topology.inputs; ++i) {
        sum += rows(j, i) * probe.inputs(0, i);
        terms += std::abs(rows(j, i) * probe.inputs(0, i));
      }
      for (std::size_t k = 0; k < gradients.size(); ++k) {
        for (std::size_t unit = 0; unit < gradients[k].size(); ++unit) {
          sum += gradients[k][unit] * probe.network.layers[k].bias[unit];
        }
      }
      verdict.deviation = std::fmax(verdict.deviation, std::abs(sum - trace.h[layer][j]));
      magnitude = std::fmax(magnitude, terms + trace.h[layer][j]);
    }
  }
  verdict.allowed = magnitude * relative_rounding(topology, 1, epsilon);
  return verdict;
}

}  // namespace

MethodSpec neuron_gradient() {
  return {
      .name = "neuron_gradient",
      .summary = "gradient of every neuron's activation in the inputs, mean over the batch",
      .formula = "mean_b dh_j/dx_i, or mean_b |dh_j/dx_i|",
      .source = "Simonyan et al., Deep inside convolutional networks, 2013 (saliency, of a neuron)",
      .columns = Columns::kInputs,
      .statistics = {},
      .column_count = [](const Problem& problem) { return problem.topology.inputs; },
      .reference = reference,
      .variants = {{.name = "naive",
                    .summary = "a forward pass and a backward pass to the inputs for every neuron",
                    .exponents = {.parameters = 1, .neurons = 1, .batch = 1, .inputs = 0},
                    .cost = cost_naive,
                    .workspace_bytes = workspace_naive,
                    .run = run_naive},
                   {.name = "fast",
                    .summary =
                        "J_l = D_l W_l J_(l-1) for tiles of samples; ReLU: over active units alone",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 1},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"first hidden layer: the weights times the neuron's mean slope", first_layer},
                     {"ReLU, one sample: J x and what the biases pass on add up to the activation",
                      linear_around_sample}},
  };
}

}  // namespace interpscale::methods
