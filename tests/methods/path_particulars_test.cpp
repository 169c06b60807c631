// What holds of single methods of gradients and paths beyond the contract.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "methods/engine/plain.hpp"
#include "methods/recorded.hpp"
#include "methods/specimen.hpp"
#include "support/catch.hpp"

namespace interpscale::testing {
namespace {

Matrix<double> exact_values(const methods::MethodSpec& method, Specimen& specimen,
                            const methods::MethodOptions& options) {
  methods::Probe<float> probe = specimen.probe();
  probe.options = options;
  const methods::DoubleSpecimen exact(probe);
  const methods::Problem problem = specimen.problem();
  Matrix<double> values(method.rows(problem), method.column_count(problem));
  method.reference(exact.probe(), exact.context(), values);
  return values;
}

/// Largest |sum_i of a neuron's row - mean_b (h_j(x) - h_j(0))|.
double completeness_error(Specimen& specimen, int steps) {
  const Matrix<double> values =
      exact_values(method_named("neuron_integrated_gradients"), specimen, {.steps = steps});
  const methods::DoubleSpecimen exact(specimen.probe());
  const methods::Probe<double>& probe = exact.probe();
  std::vector<double> missing(values.rows(), 0.0);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const auto at = methods::engine::plain_forward(probe.network, probe.inputs.row(b));
    const auto from = methods::engine::plain_forward(
        probe.network, methods::engine::plain_path_point(probe, b, 0.0));
    std::size_t row = 0;
    for (std::size_t layer = 0; layer < at.h.size(); ++layer) {
      for (std::size_t j = 0; j < at.h[layer].size(); ++j) {
        missing[row++] +=
            (at.h[layer][j] - from.h[layer][j]) / static_cast<double>(probe.inputs.rows());
      }
    }
  }
  double worst = 0.0;
  for (std::size_t row = 0; row < values.rows(); ++row) {
    double sum = -missing[row];
    for (const double value : values.row(row)) {
      sum += value;
    }
    worst = std::max(worst, std::abs(sum));
  }
  return worst;
}

TEST_CASE("neuron_integrated_gradients: complete per neuron on a smooth network",
          "[methods][neuron_integrated_gradients]") {
  Specimen specimen({.topology = {6, {16, 9}, 4, Activation::kSoftplus}, .batch = 5});
  const double coarse = completeness_error(specimen, 2);
  // Gauss-Legendre converges geometrically on analytic integrands: each node gains digits.
  CHECK(completeness_error(specimen, 8) < 1e-3 * coarse);
}

TEST_CASE("deeplift_rescale: where the baseline is the sample itself, nothing is owed",
          "[methods][deeplift_rescale]") {
  Specimen specimen({.topology = {6, {12, 7}, 4, Activation::kTanh}, .batch = 1});
  methods::Probe<float> probe = specimen.probe();
  probe.baseline = probe.inputs;
  const methods::DoubleSpecimen exact(probe);
  const methods::MethodSpec method = method_named("deeplift_rescale");
  Matrix<double> values(probe.network.topology.neurons(), 1);
  method.reference(exact.probe(), exact.context(), values);
  CHECK(largest(values) == 0.0);
}

TEST_CASE("activation_hessian: softplus agrees with differences of gradients",
          "[methods][activation_hessian]") {
  // dL/dh_1 of a network cut above its first layer: that layer's activations are its inputs.
  Specimen specimen({.topology = {5, {7, 6, 4}, 3, Activation::kSoftplus}, .batch = 2});
  const Matrix<double> values = exact_values(method_named("activation_hessian"), specimen, {});
  const methods::DoubleSpecimen exact(specimen.probe());
  const methods::Probe<double>& probe = exact.probe();
  nn::Mlp<double> above{{7, {6, 4}, 3, Activation::kSoftplus},
                        {probe.network.layers.begin() + 1, probe.network.layers.end()}};
  const auto gradient_at = [&](const std::vector<double>& h, std::uint32_t label) {
    const auto trace = methods::engine::plain_forward(above, h);
    const auto gradient = methods::engine::plain_gradient(
        above, trace, methods::engine::plain_metric_gradient(Metric::kLoss, trace.logits, label));
    std::vector<double> below = gradient[0];
    for (std::size_t j = 0; j < below.size(); ++j) {
      below[j] *= methods::engine::plain_slope(Activation::kSoftplus, trace.z[0][j]);
    }
    return methods::engine::plain_transposed_product(above.layers[0], below);
  };
  constexpr double kStep =
      1e-5;  // differences lose kStep^2 to truncation, 1e-16 / kStep to rounding
  for (std::size_t i = 0; i < 7; ++i) {
    std::vector<double> column(7, 0.0);
    for (std::size_t b = 0; b < 2; ++b) {
      std::vector<double> h =
          methods::engine::plain_forward(probe.network, probe.inputs.row(b)).h[0];
      h[i] += kStep;
      const auto ahead = gradient_at(h, probe.labels[b]);
      h[i] -= 2.0 * kStep;
      const auto behind = gradient_at(h, probe.labels[b]);
      for (std::size_t j = 0; j < 7; ++j) {
        column[j] += (ahead[j] - behind[j]) / (2.0 * kStep) / 2.0;
      }
    }
    for (std::size_t j = 0; j < 7; ++j) {
      CHECK(std::abs(column[j] - values(j, i)) <= 1e-9 * std::max(1.0, largest(values)));
    }
  }
}

}  // namespace
}  // namespace interpscale::testing
