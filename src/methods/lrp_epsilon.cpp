// Each neuron's relevance for the target output: layer-wise relevance propagation with the epsilon
// rule, which hands F down in proportion to what every unit contributes to the pre-activations
// above it.
//
// R_i = h_i sum_j W_ji R_j / (z_j + epsilon sign z_j), starting from F itself. Written as a
// backward pass with R = h m, every slope is replaced by h / (z + epsilon sign z), so that one
// forward and one backward pass serve all neurons. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/pre_activations.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec lrp_epsilon();

namespace {

using engine::layer_rows;
using engine::LayerStack;
using kernels::Context;
using kernels::Flops;

/// value / (z + epsilon sign z), the sign of 0 taken as 1.
double stabilised(double value, double z, double epsilon) {
  return value / (z < 0.0 ? z - epsilon : z + epsilon);
}

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  const nn::Topology& topology = probe.network.topology;
  const double epsilon = probe.options.epsilon;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    std::vector<double> relevance(topology.outputs, 0.0);
    relevance[probe.labels[b]] = trace.logits[probe.labels[b]];
    for (std::size_t layer = topology.hidden.size(); layer-- > 0;) {
      const bool top = layer + 1 == topology.hidden.size();
      const std::vector<double>& z = top ? trace.logits : trace.z[layer + 1];
      std::vector<double> shares(z.size());
      for (std::size_t j = 0; j < z.size(); ++j) {
        shares[j] = stabilised(relevance[j], z[j], epsilon);
      }
      relevance = engine::plain_transposed_product(probe.network.layers[layer + 1], shares);
      const MatrixView<double> rows = layer_rows(out, topology, layer);
      for (std::size_t j = 0; j < relevance.size(); ++j) {
        relevance[j] *= trace.h[layer][j];
        rows(j, b) = relevance[j];
      }
    }
  }
}

/// A forward pass, then visit(layer, m [B, w_l]) for layers L-1 ... first_layer, R = h m.
template <class Visit>
void visit_relevance(const Probe<float>& probe, const LayerStack& z, const LayerStack& h,
                     std::size_t first_layer, const Context<float>& context, const Visit& visit) {
  const nn::Mlp<float>& network = probe.network;
  const nn::Topology& topology = network.topology;
  const std::size_t batch = probe.inputs.rows();
  const auto epsilon = static_cast<float>(probe.options.epsilon);
  const Workspace::Scope scope(context.workspace);
  engine::forward_with_pre_activations(network, probe.inputs, z, h, context);
  const MatrixView<float> logits = context.workspace.matrix<float>(batch, topology.outputs);
  const MatrixView<float> share = context.workspace.matrix<float>(batch, topology.outputs);
  engine::forward_readout(network, h[topology.hidden.size() - 1], logits, context);
  const auto on = context.workspace.vector<float>(topology.outputs);
  const auto off = context.workspace.vector<float>(topology.outputs);
  std::fill(on.begin(), on.end(), 1.0F);
  std::fill(off.begin(), off.end(), 0.0F);
  context.backend.one_hot(probe.labels, on, off, share, context);
  context.backend.multiply_by_ratio({logits, logits, epsilon}, share, context);
  engine::PingPong scratch(batch, engine::widest_from(topology, first_layer), context.workspace);
  MatrixView<const float> above = share;
  for (std::size_t layer = topology.hidden.size(); layer-- > first_layer;) {
    const MatrixView<float> m = scratch.next(batch, topology.hidden[layer]);
    context.backend.gemm(kernels::GemmCase::kNN, above, network.layers[layer + 1].weights, m, {},
                         context);
    visit(layer, MatrixView<const float>(m));
    if (layer > first_layer) {
      context.backend.multiply_by_ratio({h[layer], z[layer], epsilon}, m, context);
    }
    above = m;
  }
}

Flops relevance_flops(const Problem& problem, std::size_t first_layer) {
  const nn::Topology& topology = problem.topology;
  Flops flops = engine::forward_with_pre_activations_flops(topology, problem.batch) +
                engine::readout_flops(topology, problem.batch) +
                kernels::multiply_by_ratio_flops(std::uint64_t{problem.batch} * topology.outputs);
  for (std::size_t layer = topology.hidden.size(); layer-- > first_layer;) {
    flops +=
        kernels::gemm_flops({problem.batch, topology.hidden[layer], topology.fan_out(layer + 1)});
    if (layer > first_layer) {
      flops +=
          kernels::multiply_by_ratio_flops(std::uint64_t{problem.batch} * topology.hidden[layer]);
    }
  }
  return flops;
}

std::uint64_t relevance_bytes(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t widest = engine::widest_from(topology, 0);
  return 2 * LayerStack::bytes(topology, problem.batch) +
         2 * engine::matrix_bytes<float>(problem.batch, topology.outputs) +
         2 * engine::vector_bytes<float>(topology.outputs) +
         engine::PingPong::bytes(problem.batch, widest);
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const Workspace::Scope scope(context.workspace);
  const LayerStack z(topology, probe.inputs.rows(), context.workspace);
  const LayerStack h(topology, probe.inputs.rows(), context.workspace);
  visit_relevance(probe, z, h, 0, context, [&](std::size_t layer, MatrixView<const float> m) {
    const Workspace::Scope visit_scope(context.workspace);
    const MatrixView<float> relevance = context.workspace.matrix<float>(m.rows(), m.cols());
    context.backend.multiply(h[layer], m, relevance, context);
    context.backend.transpose(relevance, layer_rows(out, topology, layer), context);
  });
}

void run_naive(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const Workspace::Scope scope(context.workspace);
  const LayerStack z(topology, probe.inputs.rows(), context.workspace);
  const LayerStack h(topology, probe.inputs.rows(), context.workspace);
  const MatrixView<float> column = context.workspace.matrix<float>(probe.inputs.rows(), 1);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<float> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      visit_relevance(probe, z, h, layer, context,
                      [&](std::size_t visited, MatrixView<const float> m) {
                        if (visited == layer) {
                          context.backend.multiply(h[layer].cols_from(j, 1), m.cols_from(j, 1),
                                                   column, context);
                        }
                      });
      context.backend.transpose(column, rows.rows_from(j, 1), context);
    }
  }
}

Cost cost_fast(const Problem& problem) {
  return {relevance_flops(problem, 0) +
              kernels::multiply_flops(problem.batch * problem.topology.neurons()),
          engine::floor_bytes(problem, problem.batch)};
}

Cost cost_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  Flops flops = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    flops += topology.hidden[layer] *
             (relevance_flops(problem, layer) + kernels::multiply_flops(problem.batch));
  }
  return {flops, engine::floor_bytes(problem, problem.batch)};
}

std::uint64_t workspace_fast(const Problem& problem) {
  return relevance_bytes(problem) +
         engine::matrix_bytes<float>(problem.batch, engine::widest_from(problem.topology, 0));
}

std::uint64_t workspace_naive(const Problem& problem) {
  return relevance_bytes(problem) + engine::matrix_bytes<float>(problem.batch, 1);
}

/// A quotient h / (z + epsilon sign z) has a derivative of at most 1 / epsilon: an error of z,
/// which is the forward pass's relative to pre-activations of the size of the logits, weighs as
/// much.
double relative_rounding(const nn::Topology& topology, double scale, double epsilon,
                         double roundoff) {
  return engine::forward_rounding(topology, roundoff) * (1.0 + std::fmax(scale, 1.0) / epsilon) +
         engine::backward_rounding(topology, roundoff);
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return relative_rounding(problem.topology, problem.output_scale, problem.options.epsilon,
                           engine::kFloatRoundoff) *
         engine::largest_magnitude(reference_values);
}

/// Conservation: of what the units above hold, a layer receives the share that reached their
/// pre-activations through weights, (z - b) / (z + epsilon sign z); biases and epsilon keep the
/// rest.
Identity::Verdict conservation(const Probe<double>& probe, const Context<double>&,
                               MatrixView<const double> values, double roundoff) {
  const nn::Topology& topology = probe.network.topology;
  const double epsilon = probe.options.epsilon;
  Identity::Verdict verdict;
  double magnitude = 0.0;
  double scale = 1.0;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    const std::uint32_t target = probe.labels[b];
    for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
      const bool top = layer + 1 == topology.hidden.size();
      const std::vector<double>& z = top ? trace.logits : trace.z[layer + 1];
      const nn::DenseLayer<double>& dense = probe.network.layers[layer + 1];
      double sum = 0.0;
      double terms = 0.0;
      for (std::size_t j = 0; j < z.size(); ++j) {
        double held = j == target ? trace.logits[target] : 0.0;
        if (!top) {
          held = layer_rows(values, topology, layer + 1)(j, b);
        }
        const double handed_down = held * stabilised(z[j] - dense.bias[j], z[j], epsilon);
        sum -= handed_down;
        terms += std::abs(handed_down);
        scale = std::fmax(scale, std::abs(z[j]));
      }
      const MatrixView<const double> rows = layer_rows(values, topology, layer);
      for (std::size_t j = 0; j < rows.rows(); ++j) {
        sum += rows(j, b);
        terms += std::abs(rows(j, b));
      }
      verdict.deviation = std::fmax(verdict.deviation, std::abs(sum));
      magnitude = std::fmax(magnitude, terms);
    }
  }
  verdict.allowed = magnitude * relative_rounding(topology, scale, epsilon, roundoff);
  return verdict;
}

/// The last hidden layer's closed form: h W_t F / (F + epsilon sign F).
Identity::Verdict last_layer(const Probe<double>& probe, const Context<double>&,
                             MatrixView<const double> values, double roundoff) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t last = topology.hidden.size() - 1;
  const MatrixView<const double> rows = layer_rows(values, topology, last);
  const Matrix<double>& readout = probe.network.layers.back().weights;
  Identity::Verdict verdict;
  double magnitude = 0.0;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    const double output = trace.logits[probe.labels[b]];
    const double share = stabilised(output, output, probe.options.epsilon);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      const double contribution = trace.h[last][j] * readout(probe.labels[b], j);
      verdict.deviation = std::fmax(verdict.deviation, std::abs(contribution * share - rows(j, b)));
      magnitude = std::fmax(magnitude, std::abs(contribution));
    }
  }
  verdict.allowed = magnitude * relative_rounding(topology, 1.0, probe.options.epsilon, roundoff);
  return verdict;
}

}  // namespace

MethodSpec lrp_epsilon() {
  return {
      .name = "lrp_epsilon",
      .summary = "relevance of every neuron for the target output, handed down layer by layer",
      .formula =
          "R_i = h_i sum_j W_ji R_j / (z_j + epsilon sign z_j), starting from F; epsilon is 0.01 "
          "unless given",
      .source =
          "Bach et al., On pixel-wise explanations for non-linear classifier decisions by "
          "layer-wise relevance propagation, PLOS ONE 2015",
      .columns = Columns::kSamples,
      .statistics = {},
      .column_count = [](const Problem& problem) { return problem.batch; },
      .reference = reference,
      .variants = {{.name = "naive",
                    .summary = "a forward pass and a propagation for every neuron",
                    .exponents = {.parameters = 1, .neurons = 1, .batch = 1, .inputs = 0},
                    .cost = cost_naive,
                    .workspace_bytes = workspace_naive,
                    .run = run_naive},
                   {.name = "fast",
                    .summary = "one forward pass and one backward pass with the rule's slopes",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities =
          {{"a layer receives what the units above hold, but for the shares of biases and "
            "epsilon",
            conservation},
           {"last hidden layer: h W_t F / (F + epsilon sign F)", last_layer}},
  };
}

}  // namespace interpscale::methods
