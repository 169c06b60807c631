// Methods of gradients and paths against the recorded values of an attribution library.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "methods/engine/plain.hpp"
#include "methods/engine/quadrature.hpp"
#include "methods/recorded.hpp"

namespace interpscale::testing {
namespace {

/// A field [l][neuron][example][input], mean over the examples, as [n, d].
Matrix<double> mean_over_samples(const Recorded& recorded, const std::string& field) {
  const nn::Topology& topology = recorded.network.topology;
  Matrix<double> mean(topology.neurons(), topology.inputs);
  std::size_t row = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    for (std::size_t j = 0; j < topology.hidden[layer]; ++j, ++row) {
      const Matrix<double> by_sample = recorded.values.matrix(field, layer, j);
      for (std::size_t b = 0; b < by_sample.rows(); ++b) {
        for (std::size_t i = 0; i < topology.inputs; ++i) {
          mean(row, i) += by_sample(b, i) / static_cast<double>(by_sample.rows());
        }
      }
    }
  }
  return mean;
}

TEST_CASE("reference values: internal influence", "[methods][reference-values]") {
  Recorded recorded;
  check("internal_influence", recorded, {.steps = 32},
        neurons_by_samples(recorded, "InternalInfluence_gausslegendre"));
}

TEST_CASE("reference values: integrated gradients of every neuron", "[methods][reference-values]") {
  Recorded recorded;
  check("neuron_integrated_gradients", recorded, {.steps = 32},
        mean_over_samples(recorded, "NeuronIntegratedGradients_gausslegendre"));
}

TEST_CASE("reference values: conductance of every neuron, by inputs",
          "[methods][reference-values]") {
  Recorded recorded;
  check("neuron_conductance", recorded, {.steps = 32},
        mean_over_samples(recorded, "NeuronConductance_gausslegendre"));
}

TEST_CASE("reference values: DeepLift of every layer", "[methods][reference-values]") {
  Recorded recorded;
  check("deeplift_rescale", recorded, {}, neurons_by_samples(recorded, "LayerDeepLift"));
}

TEST_CASE("reference values: attribution patching, its loss gradient from patches with zero",
          "[methods][reference-values]") {
  // Recorded is -h dL/dh of the mean loss L, the patch of h with zero. Ours patches with the next
  // example's activation h' and takes every example's own loss: (h' - h) / -h times 16 as much.
  Recorded recorded;
  Matrix<double> expected = neurons_by_samples(recorded, "attribution_patching_to_zero");
  const Matrix<double> h = neurons_by_samples(recorded, "activations");
  const Matrix<double> inner = neurons_by_samples(recorded, "grad_activations");
  const auto batch = static_cast<double>(h.cols());
  for (std::size_t row = 0; row < h.rows(); ++row) {
    for (std::size_t b = 0; b < h.cols(); ++b) {
      const double difference = h(row, (b + 1) % h.cols()) - h(row, b);
      // Where h is zero, so is the recorded patch: the recorded gradient itself has to serve.
      expected(row, b) = h(row, b) > 0.0 ? expected(row, b) * batch * difference / -h(row, b)
                                         : batch * difference * inner(row, b);
    }
  }
  check("attribution_patching", recorded, {.metric = Metric::kLoss}, expected);
}

TEST_CASE("reference values: layer conductance at Gauss-Legendre nodes, by this project's pieces",
          "[methods][reference-values]") {
  // The library walks the 33 Gauss-Legendre nodes where the method walks k / 32; the sum is the
  // same one.
  Recorded recorded;
  const Matrix<double> expected = neurons_by_samples(recorded, "LayerConductance_gausslegendre");
  std::vector<double> positions(33);
  std::vector<double> weights(33);
  methods::engine::gauss_legendre(positions, weights);
  const methods::Probe<double> probe = recorded.probe({});
  Matrix<double> sums(expected.rows(), expected.cols());
  for (std::size_t b = 0; b < expected.cols(); ++b) {
    for (std::size_t k = 0; k + 1 < positions.size(); ++k) {
      const auto at = [&](double t) {
        return methods::engine::plain_forward(probe.network,
                                              methods::engine::plain_path_point(probe, b, t));
      };
      const auto now = at(positions[k]);
      const auto next = at(positions[k + 1]);
      const auto gradient =
          methods::engine::plain_target_gradient(probe.network, now, probe.labels[b]);
      std::size_t row = 0;
      for (std::size_t layer = 0; layer < gradient.size(); ++layer) {
        for (std::size_t j = 0; j < gradient[layer].size(); ++j) {
          sums(row++, b) += (next.h[layer][j] - now.h[layer][j]) * gradient[layer][j];
        }
      }
    }
  }
  CHECK(deviation(sums, expected) <= kDoubleAgreement);
}

}  // namespace
}  // namespace interpscale::testing
