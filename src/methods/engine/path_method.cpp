// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/path_method.hpp"

#include <cmath>
#include <utility>

#include "methods/engine/plain.hpp"
#include "methods/engine/quadrature.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {
namespace {

using kernels::Context;

Cost cost_of(const Problem& problem, kernels::Flops flops) {
  return {flops, floor_bytes(problem, problem.topology.inputs)};
}

Variant naive_variant(PathFactor factor, std::string summary) {
  return {.name = "naive",
          .summary = std::move(summary),
          .exponents = {.parameters = 1, .neurons = 1, .batch = 1, .inputs = 0},
          .cost =
              [factor](const Problem& problem) {
                return cost_of(problem, paths_one_by_one_flops(problem, factor));
              },
          .workspace_bytes =
              [factor](const Problem& problem) { return paths_one_by_one_bytes(problem, factor); },
          .run =
              [factor](const Probe<float>& probe, const Context<float>& context,
                       MatrixView<float> out) {
                integrate_paths_one_by_one(probe, factor, context, out);
              }};
}

Variant fast_variant(PathFactor factor, std::string summary) {
  return {
      .name = "fast",
      .summary = std::move(summary),
      .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 1},
      .cost =
          [factor](const Problem& problem) {
            return cost_of(problem, path_jacobians_flops(problem, factor));
          },
      .workspace_bytes =
          [factor](const Problem& problem) { return path_jacobians_bytes(problem, factor); },
      .run = [factor](
                 const Probe<float>& probe, const Context<float>& context,
                 MatrixView<float> out) { integrate_path_jacobians(probe, factor, context, out); }};
}

/// factor dh_j/dt of all neurons, at one point of a sample's path.
std::vector<double> derivatives(const Probe<double>& probe, PathFactor factor, std::size_t sample,
                                double position, std::span<const double> way) {
  const PlainTrace trace = plain_forward(probe.network, plain_path_point(probe, sample, position));
  auto layers = plain_direction(probe.network, trace, way);
  if (factor == PathFactor::kTargetGradient) {
    const auto gradient = plain_target_gradient(probe.network, trace, probe.labels[sample]);
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
      for (std::size_t j = 0; j < layers[layer].size(); ++j) {
        layers[layer][j] *= gradient[layer][j];
      }
    }
  }
  std::vector<double> all;
  for (const auto& layer : layers) {
    all.insert(all.end(), layer.begin(), layer.end());
  }
  return all;
}

}  // namespace

MethodSpec path_method(PathFactor factor, std::string naive, std::string fast) {
  MethodSpec spec;
  spec.columns = Columns::kInputs;
  spec.column_count = [](const Problem& problem) { return problem.topology.inputs; };
  spec.reference = [factor](const Probe<double>& probe, const Context<double>&,
                            MatrixView<double> out) {
    integrate_paths_plainly(probe, factor, out);
  };
  spec.variants = {naive_variant(factor, std::move(naive)), fast_variant(factor, std::move(fast))};
  spec.tolerance = [factor](const Problem& problem, MatrixView<const double> reference_values) {
    return path_jacobians_rounding(problem.topology, problem.batch, path_steps(problem.options),
                                   factor, kFloatRoundoff) *
           largest_magnitude(reference_values);
  };
  return spec;
}

Identity::Verdict sums_are_derivatives_along_path(const Probe<double>& probe, PathFactor factor,
                                                  MatrixView<const double> values, double epsilon) {
  const std::size_t batch = probe.inputs.rows();
  std::vector<double> positions(path_steps(probe.options));
  std::vector<double> weights(positions.size());
  gauss_legendre(positions, weights);
  std::vector<double> sums(values.rows(), 0.0);
  double magnitude = 0.0;
  for (std::size_t b = 0; b < batch; ++b) {
    const std::vector<double> start = plain_path_point(probe, b, 0.0);
    std::vector<double> way = plain_path_point(probe, b, 1.0);
    for (std::size_t i = 0; i < way.size(); ++i) {
      way[i] -= start[i];
    }
    for (std::size_t k = 0; k < positions.size(); ++k) {
      const std::vector<double> gains = derivatives(probe, factor, b, positions[k], way);
      for (std::size_t row = 0; row < sums.size(); ++row) {
        sums[row] += weights[k] * gains[row] / static_cast<double>(batch);
        magnitude = std::fmax(magnitude, std::abs(gains[row]));
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
  verdict.allowed = magnitude * path_rounding(probe, factor, epsilon);
  return verdict;
}

double path_rounding(const Probe<double>& probe, PathFactor factor, double roundoff) {
  return path_jacobians_rounding(probe.network.topology, probe.inputs.rows(),
                                 path_steps(probe.options), factor, roundoff);
}

}  // namespace interpscale::methods::engine
