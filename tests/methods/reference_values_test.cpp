// The methods against values that an established attribution library computed in double precision
// (tests/data/README.md has the conventions): the outside check on what their formulas mean.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "methods/recorded.hpp"

namespace interpscale::testing {
namespace {

TEST_CASE("reference values: gradient x activation", "[methods][reference-values]") {
  Recorded recorded;
  check("gradient_x_activation", recorded, {},
        neurons_by_samples(recorded, "LayerGradientXActivation"));
}

TEST_CASE("reference values: layer conductance at nodes k/K", "[methods][reference-values]") {
  Recorded recorded;
  check("layer_conductance", recorded, {.steps = 32},
        neurons_by_samples(recorded, "LayerConductance_riemann_trapezoid"));
}

TEST_CASE("reference values: mean change of the loss under zero ablation",
          "[methods][reference-values]") {
  Recorded recorded;
  const nlohmann::json& layers = recorded.values.field("ablation_loss_change_mean");
  Matrix<double> expected(recorded.network.topology.neurons(), 1);
  std::size_t row = 0;
  for (const nlohmann::json& layer : layers) {
    for (const double effect : json_vector(layer)) {
      expected(row++, 0) = effect;
    }
  }
  check("zero_ablation", recorded, {}, expected);
}

TEST_CASE("reference values: gradient of every neuron in the inputs",
          "[methods][reference-values]") {
  Recorded recorded;
  const nn::Topology& topology = recorded.network.topology;
  for (const bool absolute : {false, true}) {
    Matrix<double> expected(topology.neurons(), topology.inputs);
    std::size_t row = 0;
    for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
      for (std::size_t j = 0; j < topology.hidden[layer]; ++j, ++row) {
        const Matrix<double> by_sample = recorded.values.matrix("NeuronGradient", layer, j);
        for (std::size_t b = 0; b < by_sample.rows(); ++b) {
          for (std::size_t i = 0; i < topology.inputs; ++i) {
            const double slope = by_sample(b, i);
            expected(row, i) +=
                (absolute ? std::abs(slope) : slope) / static_cast<double>(by_sample.rows());
          }
        }
      }
    }
    check("neuron_gradient", recorded, {.absolute = absolute}, expected);
  }
}

TEST_CASE("reference values: mean, deviation and activity of every neuron",
          "[methods][reference-values]") {
  Recorded recorded;
  const Matrix<double> activations = neurons_by_samples(recorded, "activations");
  const Matrix<double> pre_activations = neurons_by_samples(recorded, "pre_activations");
  const auto batch = static_cast<double>(activations.cols());
  Matrix<double> expected(activations.rows(), 4);
  for (std::size_t row = 0; row < expected.rows(); ++row) {
    double squares = 0.0;
    for (std::size_t b = 0; b < activations.cols(); ++b) {
      expected(row, 0) += activations(row, b) / batch;
      squares += activations(row, b) * activations(row, b) / batch;
      expected(row, 2) += pre_activations(row, b) > 0.0 ? 1.0 / batch : 0.0;
    }
    expected(row, 1) = std::sqrt(squares - expected(row, 0) * expected(row, 0));
    expected(row, 3) = expected(row, 2) == 0.0 ? 1.0 : 0.0;
  }
  check("activation_statistics", recorded, {}, expected);
}

}  // namespace
}  // namespace interpscale::testing
