// How much of the target output's change each input brings about through each neuron: conductance,
// resolved by inputs, along the path from a baseline, mean over the batch.
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

MethodSpec neuron_conductance();

namespace {

using engine::layer_rows;
using engine::path_steps;
using engine::PathFactor;
using kernels::Context;

constexpr PathFactor kFactor = PathFactor::kTargetGradient;

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

/// Summed over the inputs, a row is the quadrature of (dF/dh_j) (dh_j/dt): the neuron's
/// conductance. The derivative along the path is taken here in forward mode.
Identity::Verdict conductance(const Probe<double>& probe, const Context<double>&,
                              MatrixView<const double> values, double epsilon) {
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
      const auto direction = engine::plain_direction(probe.network, trace, way);
      const auto gradient = engine::plain_target_gradient(probe.network, trace, probe.labels[b]);
      std::size_t row = 0;
      for (std::size_t layer = 0; layer < gradient.size(); ++layer) {
        for (std::size_t j = 0; j < gradient[layer].size(); ++j) {
          const double gain = gradient[layer][j] * direction[layer][j];
          sums[row++] += weights[k] * gain / static_cast<double>(batch);
          magnitude = std::fmax(magnitude, std::abs(gain));
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
  verdict.allowed = magnitude * rounding_of(probe.network.topology, batch, probe.options, epsilon);
  return verdict;
}

/// Everything that an input does to F passes through every layer: the rows of a layer add up to the
/// integrated gradients of F, whichever the layer.
Identity::Verdict same_in_every_layer(const Probe<double>& probe, const Context<double>&,
                                      MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  Identity::Verdict verdict;
  double magnitude = 0.0;
  std::vector<double> first;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<const double> rows = layer_rows(values, topology, layer);
    std::vector<double> sums(values.cols(), 0.0);
    std::vector<double> terms(values.cols(), 0.0);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      for (std::size_t i = 0; i < sums.size(); ++i) {
        sums[i] += rows(j, i);
        terms[i] += std::abs(rows(j, i));
      }
    }
    first = layer == 0 ? sums : first;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      verdict.deviation = std::fmax(verdict.deviation, std::abs(sums[i] - first[i]));
      magnitude = std::fmax(magnitude, terms[i]);
    }
  }
  verdict.allowed =
      2.0 * magnitude * rounding_of(topology, probe.inputs.rows(), probe.options, epsilon);
  return verdict;
}

}  // namespace

MethodSpec neuron_conductance() {
  return {
      .name = "neuron_conductance",
      .summary = "share of every input in the output's change through a neuron, along a path",
      .formula =
          "mean_b (x_i - x'_i) sum_k w_k (dF/dh_j) (dh_j/dx_i) at x' + t_k (x - x'), "
          "Gauss-Legendre",
      .source = "Dhamdhere et al., How important is a neuron?, ICLR 2019",
      .columns = Columns::kInputs,
      .statistics = {},
      .column_count = [](const Problem& problem) { return problem.topology.inputs; },
      .reference = reference,
      .variants = {{.name = "naive",
                    .summary = "K forward passes, backward passes to the neuron and from it to the "
                               "inputs, for every neuron",
                    .exponents = {.parameters = 1, .neurons = 1, .batch = 1, .inputs = 0},
                    .cost = cost_naive,
                    .workspace_bytes = workspace_naive,
                    .run = run_naive},
                   {.name = "fast",
                    .summary = "K times one backward pass and the Jacobians of all layers by "
                               "matrix products; ReLU: over active units alone",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 1},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"summed over inputs: the quadrature of (dF/dh_j) (dh_j/dt), the neuron's "
                      "conductance",
                      conductance},
                     {"the rows of a layer add up to the same in every layer",
                      same_in_every_layer}},
  };
}

}  // namespace interpscale::methods
