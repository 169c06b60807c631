// Which inputs a neuron's activation is owed to: integrated gradients of every neuron in the
// inputs, along the path from a baseline, mean over the batch.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "methods/engine/path_jacobian.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/quadrature.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec neuron_integrated_gradients();

namespace {

using engine::layer_rows;
using engine::path_steps;
using engine::PathFactor;
using kernels::Context;

constexpr PathFactor kFactor = PathFactor::kOne;

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  engine::integrate_paths_plainly(probe, kFactor, out);
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  engine::integrate_path_jacobians(probe, kFactor, context, out);
}

void run_naive(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  engine::integrate_paths_one_by_one(probe, kFactor, context, out);
}

Cost cost_fast(const Problem& problem) {
  return {engine::path_jacobians_flops(problem, kFactor),
          engine::floor_bytes(problem, problem.topology.inputs)};
}

Cost cost_naive(const Problem& problem) {
  return {engine::paths_one_by_one_flops(problem, kFactor),
          engine::floor_bytes(problem, problem.topology.inputs)};
}

std::uint64_t workspace_fast(const Problem& problem) {
  return engine::path_jacobians_bytes(problem, kFactor);
}

std::uint64_t workspace_naive(const Problem& problem) {
  return engine::paths_one_by_one_bytes(problem, kFactor);
}

double rounding_of(const nn::Topology& topology, std::size_t batch, const MethodOptions& options,
                   double roundoff) {
  return engine::path_jacobians_rounding(topology, batch, path_steps(options), kFactor, roundoff);
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return rounding_of(problem.topology, problem.batch, problem.options, engine::kFloatRoundoff) *
         engine::largest_magnitude(reference_values);
}

/// Summed over the inputs, a neuron's row is the quadrature of its activation's derivative along
/// the path, whose integral is a(x) - a(x'). The derivative is taken here in forward mode.
Identity::Verdict completeness(const Probe<double>& probe, const Context<double>&,
                               MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t batch = probe.inputs.rows();
  std::vector<double> positions(path_steps(probe.options));
  std::vector<double> weights(positions.size());
  engine::gauss_legendre(positions, weights);
  std::vector<double> sums(values.rows(), 0.0);
  double magnitude = 0.0;
  for (std::size_t b = 0; b < batch; ++b) {
    const std::vector<double> start = engine::plain_path_point(probe, b, 0.0);
    std::vector<double> way = engine::plain_path_point(probe, b, 1.0);
    for (std::size_t i = 0; i < way.size(); ++i) {
      way[i] -= start[i];
    }
    for (std::size_t k = 0; k < positions.size(); ++k) {
      const engine::PlainTrace trace =
          engine::plain_forward(probe.network, engine::plain_path_point(probe, b, positions[k]));
      std::size_t row = 0;
      for (const auto& layer : engine::plain_direction(probe.network, trace, way)) {
        for (const double derivative : layer) {
          sums[row++] += weights[k] * derivative / static_cast<double>(batch);
          magnitude = std::fmax(magnitude, std::abs(derivative));
        }
      }
    }
  }
  Identity::Verdict verdict;
  for (std::size_t row = 0; row < values.rows(); ++row) {
    double sum = -sums[row];
    double terms = 0.0;
    for (const double value : values.row(row)) {
      sum += value;
      terms += std::abs(value);
    }
    verdict.deviation = std::fmax(verdict.deviation, std::abs(sum));
    magnitude = std::fmax(magnitude, terms);
  }
  verdict.allowed = magnitude * rounding_of(topology, batch, probe.options, epsilon);
  return verdict;
}

/// First hidden layer: a weight times the mean of (x_i - x'_i) times the mean slope on the path.
Identity::Verdict first_layer(const Probe<double>& probe, const Context<double>&,
                              MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t batch = probe.inputs.rows();
  const Matrix<double>& weights_in = probe.network.layers[0].weights;
  std::vector<double> positions(path_steps(probe.options));
  std::vector<double> weights(positions.size());
  engine::gauss_legendre(positions, weights);
  Matrix<double> expected(topology.hidden[0], topology.inputs);
  for (std::size_t b = 0; b < batch; ++b) {
    const std::vector<double> start = engine::plain_path_point(probe, b, 0.0);
    for (std::size_t k = 0; k < positions.size(); ++k) {
      const engine::PlainTrace trace =
          engine::plain_forward(probe.network, engine::plain_path_point(probe, b, positions[k]));
      for (std::size_t j = 0; j < expected.rows(); ++j) {
        const double slope = engine::plain_slope(topology.activation, trace.z[0][j]);
        for (std::size_t i = 0; i < expected.cols(); ++i) {
          expected(j, i) += weights[k] * slope * weights_in(j, i) *
                            (probe.inputs(b, i) - start[i]) / static_cast<double>(batch);
        }
      }
    }
  }
  Identity::Verdict verdict;
  for (std::size_t j = 0; j < expected.rows(); ++j) {
    for (std::size_t i = 0; i < expected.cols(); ++i) {
      verdict.deviation = std::fmax(verdict.deviation, std::abs(values(j, i) - expected(j, i)));
    }
  }
  verdict.allowed =
      rounding_of(topology, batch, probe.options, epsilon) * engine::largest_magnitude(expected);
  return verdict;
}

}  // namespace

MethodSpec neuron_integrated_gradients() {
  return {
      .name = "neuron_integrated_gradients",
      .summary = "share of every input in a neuron's activation, integrated along a path",
      .formula = "mean_b (x_i - x'_i) sum_k w_k dh_j/dx_i at x' + t_k (x - x'), Gauss-Legendre",
      .source =
          "Sundararajan et al., Axiomatic attribution for deep networks, ICML 2017 (of a "
          "neuron)",
      .columns = Columns::kInputs,
      .statistics = {},
      .column_count = [](const Problem& problem) { return problem.topology.inputs; },
      .reference = reference,
      .variants =
          {{.name = "naive",
            .summary = "K forward and K backward passes to the inputs for every neuron",
            .exponents = {.parameters = 1, .neurons = 1, .batch = 1, .inputs = 0},
            .cost = cost_naive,
            .workspace_bytes = workspace_naive,
            .run = run_naive},
           {.name = "fast",
            .summary =
                "K Jacobians of all layers by matrix products; ReLU: over active units alone",
            .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 1},
            .cost = cost_fast,
            .workspace_bytes = workspace_fast,
            .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"summed over inputs: the quadrature of the activation's derivative along the "
                      "path, which approaches h_j(x) - h_j(x')",
                      completeness},
                     {"first hidden layer: the weights times the mean slope-weighted way",
                      first_layer}},
  };
}

}  // namespace interpscale::methods
