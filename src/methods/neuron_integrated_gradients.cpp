// Which inputs a neuron's activation is owed to: integrated gradients of every neuron in the
// inputs, along the path from a baseline, mean over the batch.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "methods/engine/path_method.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/quadrature.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec neuron_integrated_gradients();

namespace {

using engine::PathFactor;
using kernels::Context;

constexpr PathFactor kFactor = PathFactor::kOne;

/// The integral of dh_j/dt is h_j(x) - h_j(x').
Identity::Verdict completeness(const Probe<double>& probe, const Context<double>&,
                               MatrixView<const double> values, double epsilon) {
  return engine::sums_are_derivatives_along_path(probe, kFactor, values, epsilon);
}

/// First hidden layer: a weight times the mean of (x_i - x'_i) times the mean slope on the path.
Identity::Verdict first_layer(const Probe<double>& probe, const Context<double>&,
                              MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t batch = probe.inputs.rows();
  const Matrix<double>& weights_in = probe.network.layers[0].weights;
  std::vector<double> positions(engine::path_steps(probe.options));
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
      engine::path_rounding(probe, kFactor, epsilon) * engine::largest_magnitude(expected);
  return verdict;
}

}  // namespace

MethodSpec neuron_integrated_gradients() {
  MethodSpec spec = engine::path_method(
      kFactor, "K forward and K backward passes to the inputs for every neuron",
      "K Jacobians of all layers by matrix products; ReLU: over active units alone");
  spec.name = "neuron_integrated_gradients";
  spec.summary = "share of every input in a neuron's activation, integrated along a path";
  spec.formula = "mean_b (x_i - x'_i) sum_k w_k dh_j/dx_i at x' + t_k (x - x'), Gauss-Legendre";
  spec.source =
      "Sundararajan et al., Axiomatic attribution for deep networks, ICML 2017 (of a neuron)";
  spec.identities = {
      {"summed over inputs: the quadrature of the activation's derivative along the "
       "path, which approaches h_j(x) - h_j(x')",
       completeness},
      {"first hidden layer: the weights times the mean slope-weighted way", first_layer}};
  return spec;
}

}  // namespace interpscale::methods
