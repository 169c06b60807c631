// The methods against values that an established attribution library computed in double precision
// (tests/data/README.md has the conventions): the outside check on what their formulas mean.
// SPDX-License-Identifier: Apache-2.0
#include "support/reference_values.hpp"

#include <algorithm>
#include <cmath>

#include "methods/specimen.hpp"
#include "support/catch.hpp"

namespace interpscale::testing {
namespace {

/// References repeat the library's double arithmetic in another order.
constexpr double kDoubleAgreement = 1e-10;
/// Float variants: three layers forward and back, sums of up to 16 x 32 terms, 2e-5 is 340 epsilon.
constexpr double kFloatAgreement = 2e-5;

methods::MethodSpec method_named(const std::string& name) {
  for (methods::MethodSpec& method : methods::all_methods()) {
    if (method.name == name) {
      return method;
    }
  }
  throw std::runtime_error("no method " + name);
}

/// The recorded network and batch, in both precisions.
struct Recorded {
  ReferenceValues values;
  nn::Mlp<double> network = values.network();
  nn::Mlp<float> network_float = nn::convert<float>(network);
  Matrix<double> inputs = values.inputs();
  Matrix<float> inputs_float{inputs.rows(), inputs.cols()};
  std::vector<std::uint32_t> labels = values.labels();
  nn::Tape<double> tape{network.topology, inputs.rows()};
  nn::Tape<float> tape_float{network.topology, inputs.rows()};

  Recorded() { copy(inputs.view(), inputs_float.view()); }

  [[nodiscard]] methods::Probe<double> probe(const methods::MethodOptions& options) {
    return {network, inputs, labels, {}, {}, options, tape};
  }
  [[nodiscard]] methods::Probe<float> probe_float(const methods::MethodOptions& options) {
    return {network_float, inputs_float, labels, {}, {}, options, tape_float};
  }
};

double largest(const Matrix<double>& values) {
  double found = 0.0;
  for (std::size_t i = 0; i < values.rows(); ++i) {
    for (const double value : values.row(i)) {
      found = std::max(found, std::abs(value));
    }
  }
  return found;
}

/// The largest deviation, relative to the largest expected value; infinity where a value is NaN.
template <class T>
double deviation(const Matrix<T>& computed, const Matrix<double>& expected) {
  double worst = 0.0;
  for (std::size_t i = 0; i < expected.rows(); ++i) {
    for (std::size_t j = 0; j < expected.cols(); ++j) {
      const double difference = std::abs(static_cast<double>(computed(i, j)) - expected(i, j));
      worst = std::isfinite(difference) ? std::max(worst, difference) : HUGE_VAL;
    }
  }
  return worst / largest(expected);
}

/// Reference and variants of a method against expected [n, columns].
void check(const std::string& name, Recorded& recorded, const methods::MethodOptions& options,
           const Matrix<double>& expected) {
  const methods::MethodSpec method = method_named(name);
  const auto backend = kernels::make_backend<double>("reference").value();
  Workspace workspace;
  Matrix<double> exact(expected.rows(), expected.cols());
  method.reference(recorded.probe(options), {*backend, 1, workspace}, exact);
  INFO(name);
  CHECK(deviation(exact, expected) <= kDoubleAgreement);
  for (const std::string& backend_name : kernels::backend_names<float>()) {
    const Bench bench(backend_name);
    for (const methods::Variant& variant : method.variants) {
      INFO(variant.name << " on " << backend_name);
      Matrix<float> computed(expected.rows(), expected.cols());
      variant.run(recorded.probe_float(options), bench.context(), computed);
      CHECK(deviation(computed, expected) <= kFloatAgreement);
    }
  }
}

/// A field [l][example][neuron] as [n, B].
Matrix<double> neurons_by_samples(const Recorded& recorded, const std::string& field) {
  const nn::Topology topology = recorded.network.topology;
  Matrix<double> rows(topology.neurons(), recorded.inputs.rows());
  std::size_t row = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const Matrix<double> values = recorded.values.matrix(field, layer);
    for (std::size_t j = 0; j < topology.hidden[layer]; ++j, ++row) {
      for (std::size_t b = 0; b < rows.cols(); ++b) {
        rows(row, b) = values(b, j);
      }
    }
  }
  return rows;
}

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
