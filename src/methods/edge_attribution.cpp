// What the edges into each neuron contribute to the target output: weight times gradient of every
// weight, mean over the batch, summarised over a neuron's incoming edges.
//
// One forward and one backward pass give every weight's gradient; the scores of all N weights never
// stand in memory at once, only those of one layer.
// SPDX-License-Identifier: Apache-2.0
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

enum Column : std::size_t { kSum, kAbsoluteSum, kLargest, kBias, kColumns };

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
  });
}

Flops summary_flops(const nn::Topology& topology, std::size_t layer, std::size_t batch) {
  const std::size_t width = topology.hidden[layer];
  const std::size_t inputs = topology.fan_in(layer);
  const bool scaled = 1.0F / static_cast<float>(batch) != 1.0F;
  return kernels::gemm_flops({width, inputs, batch}, {.scaled = scaled}) +
         kernels::multiply_flops(std::uint64_t{width} * inputs) +
         2 * kernels::accumulate_jacobian_flops(width, inputs, 1) +
         kernels::column_sums_flops(batch, width, false);
}

std::uint64_t summary_bytes(const nn::Topology& topology, std::size_t layer) {
  const std::size_t width = topology.hidden[layer];
  return engine::matrix_bytes<float>(width, topology.fan_in(layer)) +
         2 * engine::matrix_bytes<float>(width, 1) + engine::vector_bytes<float>(width);
}

/// Gradients of F in the pre-activations of layer `layer` and above, by one forward and one
/// backward pass; visit(layer, dF/dz [B, w_l]).
template <class Visit>
void visit_deltas(const Probe<float>& probe, const LayerStack& h, std::size_t first_layer,
                  const Context<float>& context, const Visit& visit) {
  const nn::Topology& topology = probe.network.topology;
  engine::forward_layers(probe.network, 0, topology.hidden.size(), probe.inputs, h, context);
  engine::visit_target_gradients(
      probe.network, h, probe.labels, first_layer, context,
      [&](std::size_t layer, MatrixView<const float> gradient) {
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
  const Workspace::Scope scope(context.workspace);
  probe.tape.batch = probe.inputs.rows();
  const LayerStack h(probe.tape, context.workspace);
  visit_deltas(probe, h, 0, context, [&](std::size_t layer, MatrixView<const float> delta) {
    summarise(probe.network.layers[layer], delta, below_of(probe, h, layer),
              layer_rows(out, probe.network.topology, layer), context);
  });
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t batch = problem.batch;
  Flops flops = engine::forward_layers_flops(topology, 0, topology.hidden.size(), batch) +
                engine::target_gradients_flops(topology, 0, batch) +
                kernels::multiply_by_slope_flops(topology.activation, batch * topology.neurons());
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    flops += summary_flops(topology, layer, batch);
  }
  return {flops, engine::floor_bytes(problem, kColumns)};
}

std::uint64_t workspace_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t widest = engine::widest_from(topology, 0);
  std::uint64_t summary = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    summary = std::max(summary, summary_bytes(topology, layer));
  }
  return LayerStack::tape_bytes(topology) + engine::PingPong::bytes(problem.batch, widest) +
         engine::matrix_bytes<float>(problem.batch, widest) + summary;
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

}  // namespace

MethodSpec edge_attribution() {
  return {
      .name = "edge_attribution",
      .summary = "contributions of the edges into every neuron to the target output, summarised",
      .formula =
          "e_ji = W_ji mean_b dF/dW_ji: sum_i e_ji, sum_i |e_ji|, max_i |e_ji|, "
          "b_j mean_b dF/db_j",
      .source = "Syed et al., Attribution patching outperforms automated circuit discovery, 2023",
      .columns = Columns::kStatistics,
      .statistics = {"sum", "absolute_sum", "largest", "bias"},
      .column_count = [](const Problem&) -> std::size_t { return kColumns; },
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
                     {"sum, sum of magnitudes and largest are in order", ordered}},
  };
}

}  // namespace interpscale::methods
