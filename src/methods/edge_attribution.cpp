// What the edges into each neuron contribute to the target output: weight times gradient of every
// weight, mean over the batch, summarised over a neuron's incoming edges.
//
// One forward and one backward pass give every weight's gradient. Unless all scores are asked for
// (`edges`), those of one layer only stand in memory at once.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "interpscale/core/parallel.hpp"
#include "interpscale/methods/spec.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec edge_attribution();

namespace {

using engine::layer_rows;
using engine::LayerStack;
using kernels::Context;
using kernels::Flops;

/// Then, on request, the edges: those into the neuron, one an input of the widest layer (zeros
/// behind the last), and those out of a neuron of the last hidden layer, one an output (zeros for
/// other neurons).
enum Column : std::size_t { kSum, kAbsoluteSum, kLargest, kBias, kSummaries };

/// Inputs of the hidden layer that has most.
std::size_t widest_fan_in(const nn::Topology& topology) {
  std::size_t widest = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    widest = std::max(widest, topology.fan_in(layer));
  }
  return widest;
}

std::size_t columns_of(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  return kSummaries + (problem.options.edges ? widest_fan_in(topology) + topology.outputs : 0);
}

/// Whether the read-out's edges are asked for: those of the last hidden layer's rows.
bool scores_readout(const nn::Topology& topology, const MethodOptions& options) {
  return options.edges && engine::wanted(options, topology.hidden.size() - 1);
}

/// Where a row's edges to the outputs begin.
std::size_t first_output_column(const nn::Topology& topology) {
  return kSummaries + widest_fan_in(topology);
}

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  const nn::Topology& topology = probe.network.topology;
  const auto batch = static_cast<double>(probe.inputs.rows());
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const nn::DenseLayer<double>& dense = probe.network.layers[layer];
    Matrix<double> scores(dense.weights.rows(), dense.weights.cols());
    std::vector<double> of_bias(dense.bias.size(), 0.0);
    for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
      const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
      const auto gradient = engine::plain_target_gradient(probe.network, trace, probe.labels[b]);
      const std::span<const double> below =
          layer == 0 ? probe.inputs.row(b) : std::span<const double>(trace.h[layer - 1]);
      for (std::size_t j = 0; j < scores.rows(); ++j) {
        const double delta = gradient[layer][j] *
                             engine::plain_slope(topology.activation, trace.z[layer][j]) / batch;
        for (std::size_t i = 0; i < scores.cols(); ++i) {
          scores(j, i) += dense.weights(j, i) * delta * below[i];
        }
        of_bias[j] += dense.bias[j] * delta;
      }
    }
    const MatrixView<double> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < scores.rows(); ++j) {
      rows(j, kSum) = rows(j, kAbsoluteSum) = rows(j, kLargest) = 0.0;
      for (const double score : scores.row(j)) {
        rows(j, kSum) += score;
        rows(j, kAbsoluteSum) += std::abs(score);
        rows(j, kLargest) = std::max(rows(j, kLargest), std::abs(score));
      }
      rows(j, kBias) = of_bias[j];
      if (probe.options.edges) {
        std::fill(rows.row(j).begin() + kSummaries, rows.row(j).end(), 0.0);
        std::copy(scores.row(j).begin(), scores.row(j).end(), rows.row(j).begin() + kSummaries);
      }
    }
  }
  if (!probe.options.edges) {
    return;
  }
  const std::size_t last = topology.hidden.size() - 1;
  const MatrixView<double> rows = layer_rows(out, topology, last);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    const std::uint32_t target = probe.labels[b];
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      rows(j, first_output_column(topology) + target) +=
          probe.network.layers.back().weights(target, j) * trace.h[last][j] / batch;
    }
  }
}

/// rows := the summaries of one layer from delta = mean-scaled dF/dz [B, w] and the activations
/// below it, [B, fan_in].
void summarise(const nn::DenseLayer<float>& dense, MatrixView<const float> delta,
               MatrixView<const float> below, MatrixView<float> rows,
               const Context<float>& context) {
  const Workspace::Scope scope(context.workspace);
  const std::size_t width = dense.weights.rows();
  const MatrixView<float> scores = context.workspace.matrix<float>(width, dense.weights.cols());
  const MatrixView<float> sum = context.workspace.matrix<float>(width, 1);
  const MatrixView<float> absolute_sum = context.workspace.matrix<float>(width, 1);
  const std::span<float> of_bias = context.workspace.vector<float>(width);
  const auto scale = 1.0F / static_cast<float>(delta.rows());
  context.backend.gemm(kernels::GemmCase::kTN, delta, below, scores, {.alpha = scale}, context);
  context.backend.multiply(dense.weights, scores, scores, context);
  engine::clear(sum);
  engine::clear(absolute_sum);
  context.backend.accumulate_jacobian(scores, 1.0F, false, sum, context);
  context.backend.accumulate_jacobian(scores, 1.0F, true, absolute_sum, context);
  context.backend.column_sums(delta, 0.0F, of_bias, context);
  parallel_for(context.threads, width, [&](std::size_t j) {
    float largest = 0.0F;
    for (const float score : scores.row(j)) {
      largest = std::max(largest, std::abs(score));
    }
    rows(j, kSum) = sum(j, 0);
    rows(j, kAbsoluteSum) = absolute_sum(j, 0);
    rows(j, kLargest) = largest;
    rows(j, kBias) = dense.bias[j] * of_bias[j] * scale;
    if (rows.cols() > kSummaries) {
      std::fill(rows.row(j).begin() + kSummaries, rows.row(j).end(), 0.0F);
      std::copy(scores.row(j).begin(), scores.row(j).end(), rows.row(j).begin() + kSummaries);
    }
  });
}

/// The edges from the last hidden layer, whose activations are h [B, w], to the outputs:
/// W_cj mean_b [c = t_b] h_bj, into their columns [w, C].
void score_readout(const Probe<float>& probe, MatrixView<const float> h, MatrixView<float> columns,
                   const Context<float>& context) {
  const Workspace::Scope scope(context.workspace);
  const std::size_t outputs = columns.cols();
  const MatrixView<float> targets = context.workspace.matrix<float>(h.rows(), outputs);
  const MatrixView<float> scores = context.workspace.matrix<float>(outputs, h.cols());
  engine::clear(targets);
  for (std::size_t b = 0; b < h.rows(); ++b) {
    targets(b, probe.labels[b]) = 1.0F;
  }
  const auto scale = 1.0F / static_cast<float>(h.rows());
  context.backend.gemm(kernels::GemmCase::kTN, targets, h, scores, {.alpha = scale}, context);
  context.backend.multiply(probe.network.layers.back().weights, scores, scores, context);
  context.backend.transpose(scores, columns, context);
}

/// A mean over the batch that does not divide by 1.
bool scaled(std::size_t batch) {
  return 1.0F / static_cast<float>(batch) != 1.0F;
}

Flops readout_score_flops(const nn::Topology& topology, std::size_t batch) {
  const std::size_t width = topology.hidden.back();
  return kernels::gemm_flops({topology.outputs, width, batch}, {.scaled = scaled(batch)}) +
         kernels::multiply_flops(std::uint64_t{topology.outputs} * width);
}

std::uint64_t readout_score_bytes(const nn::Topology& topology, std::size_t batch) {
  return engine::matrix_bytes<float>(batch, topology.outputs) +
         engine::matrix_bytes<float>(topology.outputs, topology.hidden.back());
}

Flops summary_flops(const nn::Topology& topology, std::size_t layer, std::size_t batch) {
  const std::size_t width = topology.hidden[layer];
  const std::size_t inputs = topology.fan_in(layer);
  return kernels::gemm_flops({width, inputs, batch}, {.scaled = scaled(batch)}) +
         kernels::multiply_flops(std::uint64_t{width} * inputs) +
         2 * kernels::accumulate_jacobian_flops(width, inputs, 1) +
         kernels::column_sums_flops(batch, width, false);
}

std::uint64_t summary_bytes(const nn::Topology& topology, std::size_t layer) {
  const std::size_t width = topology.hidden[layer];
  return engine::matrix_bytes<float>(width, topology.fan_in(layer)) +
         2 * engine::matrix_bytes<float>(width, 1) + engine::vector_bytes<float>(width);
}

/// Gradients of F in the pre-activations of the layers that are wanted, by one forward and one
/// backward pass; visit(layer, dF/dz [B, w_l]).
template <class Visit>
void visit_deltas(const Probe<float>& probe, const LayerStack& h, const Context<float>& context,
                  const Visit& visit) {
  const nn::Topology& topology = probe.network.topology;
  engine::forward_layers(probe.network, 0, topology.hidden.size(), probe.inputs, h, context);
  engine::visit_target_gradients(
      probe.network, h, probe.labels, engine::lowest_wanted(topology, probe.options), context,
      [&](std::size_t layer, MatrixView<const float> gradient) {
        if (!engine::wanted(probe.options, layer)) {
          return;
        }
        const Workspace::Scope scope(context.workspace);
        const MatrixView<float> delta =
            context.workspace.matrix<float>(gradient.rows(), gradient.cols());
        copy(gradient, delta);
        context.backend.multiply_by_slope(topology.activation, h[layer], delta, context);
        visit(layer, MatrixView<const float>(delta));
      });
}

MatrixView<const float> below_of(const Probe<float>& probe, const LayerStack& h,
                                 std::size_t layer) {
  return layer == 0 ? probe.inputs : MatrixView<const float>(h[layer - 1]);
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const Workspace::Scope scope(context.workspace);
  probe.tape.batch = probe.inputs.rows();
  const LayerStack h(probe.tape, context.workspace);
  visit_deltas(probe, h, context, [&](std::size_t layer, MatrixView<const float> delta) {
    summarise(probe.network.layers[layer], delta, below_of(probe, h, layer),
              layer_rows(out, topology, layer), context);
  });
  if (scores_readout(topology, probe.options)) {
    const std::size_t last = topology.hidden.size() - 1;
    score_readout(
        probe, h[last],
        layer_rows(out, topology, last).cols_from(first_output_column(topology), topology.outputs),
        context);
  }
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t batch = problem.batch;
  Flops flops = engine::forward_layers_flops(topology, 0, topology.hidden.size(), batch) +
                engine::target_gradients_flops(
                    topology, engine::lowest_wanted(topology, problem.options), batch) +
                kernels::multiply_by_slope_flops(
                    topology.activation, batch * engine::wanted_neurons(topology, problem.options));
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    flops += engine::wanted(problem.options, layer) ? summary_flops(topology, layer, batch) : 0;
  }
  flops += scores_readout(topology, problem.options) ? readout_score_flops(topology, batch) : 0;
  return {flops, engine::floor_bytes(problem, columns_of(problem))};
}

std::uint64_t workspace_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t widest = engine::widest_from(topology, 0);
  std::uint64_t summary = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    summary = std::max(summary, summary_bytes(topology, layer));
  }
  const std::uint64_t readout =
      problem.options.edges ? readout_score_bytes(topology, problem.batch) : 0;
  return LayerStack::tape_bytes(topology) +
         std::max(readout, engine::PingPong::bytes(problem.batch, widest) +
                               engine::matrix_bytes<float>(problem.batch, widest) + summary);
}

/// Both passes, a sum over the batch and one over the fan-in.
double relative_rounding(const nn::Topology& topology, std::size_t batch, double roundoff) {
  const std::size_t fan_in = std::max(topology.inputs, engine::widest_from(topology, 0));
  return engine::forward_rounding(topology, roundoff) +
         engine::backward_rounding(topology, roundoff) +
         engine::kConditioning * engine::gamma(batch + fan_in + 6, roundoff);
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return relative_rounding(problem.topology, problem.batch, engine::kFloatRoundoff) *
         engine::largest_magnitude(reference_values);
}

/// Summed over incoming edges and the bias: mean_b z_j dF/dz_j, since z_j = sum_i W_ji h_i + b_j.
Identity::Verdict adds_up_to_unit(const Probe<double>& probe, const Context<double>&,
                                  MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const auto batch = static_cast<double>(probe.inputs.rows());
  std::vector<double> units(values.rows(), 0.0);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    const auto gradient = engine::plain_target_gradient(probe.network, trace, probe.labels[b]);
    std::size_t row = 0;
    for (std::size_t layer = 0; layer < gradient.size(); ++layer) {
      for (std::size_t j = 0; j < gradient[layer].size(); ++j) {
        const double z = trace.z[layer][j];
        units[row++] +=
            z * gradient[layer][j] * engine::plain_slope(topology.activation, z) / batch;
      }
    }
  }
  Identity::Verdict verdict;
  double magnitude = 0.0;
  for (std::size_t row = 0; row < values.rows(); ++row) {
    const double sum = values(row, kSum) + values(row, kBias) - units[row];
    verdict.deviation = std::fmax(verdict.deviation, std::abs(sum));
    magnitude = std::fmax(
        magnitude, values(row, kAbsoluteSum) + std::abs(values(row, kBias)) + std::abs(units[row]));
  }
  verdict.allowed = magnitude * relative_rounding(topology, probe.inputs.rows(), epsilon);
  return verdict;
}

/// |sum| <= sum of magnitudes, the largest <= their sum <= fan-in times the largest.
Identity::Verdict ordered(const Probe<double>& probe, const Context<double>&,
                          MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  Identity::Verdict verdict;
  std::size_t row = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const auto fan_in = static_cast<double>(topology.fan_in(layer));
    for (std::size_t j = 0; j < topology.hidden[layer]; ++j, ++row) {
      const double sum = values(row, kAbsoluteSum);
      verdict.deviation = std::fmax(verdict.deviation, std::abs(values(row, kSum)) - sum);
      verdict.deviation = std::fmax(verdict.deviation, values(row, kLargest) - sum);
      verdict.deviation = std::fmax(verdict.deviation, sum - fan_in * values(row, kLargest));
      verdict.allowed = std::fmax(verdict.allowed, sum);
    }
  }
  verdict.allowed *= relative_rounding(topology, probe.inputs.rows(), epsilon);
  return verdict;
}

/// The edges into a neuron add up to its summary, and those to the outputs to the mean of F, but
/// for the read-out's bias.
Identity::Verdict edges_add_up(const Probe<double>& probe, const Context<double>&,
                               MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  if (!probe.options.edges) {
    return {};
  }
  const std::size_t outputs_from = first_output_column(topology);
  Identity::Verdict verdict;
  double magnitude = 0.0;
  double of_outputs = 0.0;
  double terms = 0.0;
  for (std::size_t row = 0; row < values.rows(); ++row) {
    double sum = -values(row, kSum);
    for (std::size_t i = kSummaries; i < outputs_from; ++i) {
      sum += values(row, i);
    }
    verdict.deviation = std::fmax(verdict.deviation, std::abs(sum));
    magnitude = std::fmax(magnitude, values(row, kAbsoluteSum));
    for (std::size_t i = outputs_from; i < values.cols(); ++i) {
      of_outputs += values(row, i);
      terms += std::abs(values(row, i));
    }
  }
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const std::uint32_t target = probe.labels[b];
    of_outputs -= (engine::plain_forward(probe.network, probe.inputs.row(b)).logits[target] -
                   probe.network.layers.back().bias[target]) /
                  static_cast<double>(probe.inputs.rows());
  }
  verdict.deviation = std::fmax(verdict.deviation, std::abs(of_outputs));
  magnitude = std::fmax(magnitude, terms);
  verdict.allowed = magnitude * relative_rounding(topology, probe.inputs.rows(), epsilon);
  return verdict;
}

/// "sum", ..., then "in_0", ..., "out_0", ...
std::vector<std::string> names_of(const Problem& problem) {
  std::vector<std::string> names = {"sum", "absolute_sum", "largest", "bias"};
  if (problem.options.edges) {
    for (std::size_t i = 0; i < widest_fan_in(problem.topology); ++i) {
      names.push_back(fmt::format("in_{}", i));
    }
    for (std::size_t c = 0; c < problem.topology.outputs; ++c) {
      names.push_back(fmt::format("out_{}", c));
    }
  }
  return names;
}

}  // namespace

MethodSpec edge_attribution() {
  return {
      .name = "edge_attribution",
      .summary = "contributions of the edges into every neuron to the target output, summarised",
      .formula =
          "e_ji = W_ji mean_b dF/dW_ji: sum_i e_ji, sum_i |e_ji|, max_i |e_ji|, "
          "b_j mean_b dF/db_j; on request all e_ji, and those of the read-out's edges",
      .source = "Syed et al., Attribution patching outperforms automated circuit discovery, 2023",
      .columns = Columns::kStatistics,
      .statistics = {"sum", "absolute_sum", "largest", "bias"},
      .column_count = columns_of,
      .column_names = names_of,
      .reference = reference,
      .variants = {{.name = "fast",
                    .summary = "one forward and one backward pass, a layer's weight gradients at a "
                               "time",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"summed over incoming edges and the bias: mean_b z_j dF/dz_j",
                      adds_up_to_unit},
                     {"sum, sum of magnitudes and largest are in order", ordered},
                     {"all edges, where asked for: those into a neuron add up to its sum, those "
                      "to the outputs to the mean of F less its bias",
                      edges_add_up}},
  };
}

}  // namespace interpscale::methods
