// How strongly a neuron listens: the Euclidean norm of its incoming weights.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "interpscale/kernels/flops.hpp"
#include "interpscale/methods/spec.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec weight_norm();

namespace {

using kernels::Context;

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  std::size_t row = 0;
  for (std::size_t layer = 0; layer < probe.network.topology.hidden.size(); ++layer) {
    const Matrix<double>& weights = probe.network.layers[layer].weights;
    for (std::size_t j = 0; j < weights.rows(); ++j) {
      double squares = 0.0;
      for (std::size_t i = 0; i < weights.cols(); ++i) {
        squares += weights(j, i) * weights(j, i);
      }
      out(row++, 0) = std::sqrt(squares);
    }
  }
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const Workspace::Scope scope(context.workspace);
    const std::size_t width = topology.hidden[layer];
    const MatrixView<const float> weights = probe.network.layers[layer].weights;
    const auto columns = context.workspace.matrix<float>(weights.cols(), width);
    const auto sums = context.workspace.vector<float>(width);
    context.backend.transpose(weights, columns, context);
    context.backend.multiply(columns, columns, columns, context);
    context.backend.column_sums(columns, 0.0F, sums, context);
    const MatrixView<float> rows = engine::layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < width; ++j) {
      rows(j, 0) = std::sqrt(sums[j]);
    }
  }
}

Cost cost(const Problem& problem) {
  Cost total{0, engine::floor_bytes(problem, 1)};
  for (std::size_t layer = 0; layer < problem.topology.hidden.size(); ++layer) {
    const std::size_t width = problem.topology.hidden[layer];
    const std::size_t inputs = problem.topology.fan_in(layer);
    total.flops += kernels::multiply_flops(std::uint64_t{width} * inputs) +
                   kernels::column_sums_flops(inputs, width, false);
  }
  return total;
}

std::uint64_t workspace_bytes(const Problem& problem) {
  std::uint64_t most = 0;
  for (std::size_t layer = 0; layer < problem.topology.hidden.size(); ++layer) {
    const std::size_t width = problem.topology.hidden[layer];
    most = std::max(most, engine::matrix_bytes<float>(problem.topology.fan_in(layer), width) +
                              engine::vector_bytes<float>(width));
  }
  return most;
}

/// A sum of squares has no cancellation: gamma of its length, and one square root.
double relative_rounding(const nn::Topology& topology, double roundoff) {
  const std::size_t longest = std::max(topology.inputs, engine::widest_from(topology, 0));
  return engine::gamma(longest + 2, roundoff);
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return relative_rounding(problem.topology, engine::kFloatRoundoff) *
         engine::largest_magnitude(reference_values);
}

/// The squares of all rows add up to the squared Frobenius norms of the weights.
Identity::Verdict frobenius(const Probe<double>& probe, const Context<double>&,
                            MatrixView<const double> values, double epsilon) {
  double difference = 0.0;
  double total = 0.0;
  for (std::size_t layer = 0; layer < probe.network.topology.hidden.size(); ++layer) {
    const Matrix<double>& weights = probe.network.layers[layer].weights;
    for (std::size_t j = 0; j < weights.rows(); ++j) {
      for (const double weight : weights.row(j)) {
        difference -= weight * weight;
        total += weight * weight;
      }
    }
  }
  for (std::size_t row = 0; row < values.rows(); ++row) {
    difference += values(row, 0) * values(row, 0);
  }
  const double rounding = 2.0 * relative_rounding(probe.network.topology, epsilon) +
                          engine::gamma(probe.network.topology.parameters(), 0x1p-53);
  return {std::abs(difference), rounding * total};
}

}  // namespace

MethodSpec weight_norm() {
  return {
      .name = "weight_norm",
      .summary = "Euclidean norm of every neuron's incoming weights",
      .formula = "sqrt(sum_i W_ji^2)",
      .source = "Li et al., Pruning filters for efficient ConvNets, ICLR 2017",
      .columns = Columns::kScore,
      .statistics = {},
      .column_count = [](const Problem&) { return std::size_t{1}; },
      .reference = reference,
      .variants = {{.name = "fast",
                    .summary = "column sums of the squared, transposed weights",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 0, .inputs = 0},
                    .cost = cost,
                    .workspace_bytes = workspace_bytes,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"the squares of all rows add up to the weights' squared Frobenius norm",
                      frobenius}},
  };
}

}  // namespace interpscale::methods
