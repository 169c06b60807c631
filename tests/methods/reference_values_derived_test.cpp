// Methods held against recorded values (tests/data/README.md) that determine theirs by arithmetic:
// sums of gradients, sorted activations, a limit.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <functional>
#include <numeric>

#include "methods/recorded.hpp"

namespace interpscale::testing {
namespace {

/// summary(values) of the reference's and of every variant's values against the expected ones.
template <class Summary>
void check_summary(const std::string& name, Recorded& recorded,
                   const methods::MethodOptions& options, std::size_t columns,
                   const Matrix<double>& expected, const Summary& summary) {
  const methods::MethodSpec method = method_named(name);
  const auto backend = kernels::make_backend<double>("reference").value();
  Workspace workspace;
  const std::size_t rows = recorded.network.topology.neurons();
  Matrix<double> exact(rows, columns);
  method.reference(recorded.probe(options), {*backend, 1, workspace}, exact);
  INFO(name);
  CHECK(deviation(summary(exact), expected) <= kDoubleAgreement);
  for (const std::string& backend_name : kernels::backend_names<float>()) {
    const Bench bench(backend_name);
    for (const methods::Variant& variant : method.variants) {
      INFO(variant.name << " on " << backend_name);
      Matrix<float> computed(rows, columns);
      variant.run(recorded.probe_float(options), bench.context(), computed);
      Matrix<double> in_double(rows, columns);
      copy(computed.view(), in_double.view());
      CHECK(deviation(summary(in_double), expected) <= kFloatAgreement);
    }
  }
}

/// The means of rows [n, B], [n, 1].
Matrix<double> row_means(const Matrix<double>& values) {
  Matrix<double> means(values.rows(), 1);
  for (std::size_t row = 0; row < values.rows(); ++row) {
    means(row, 0) = std::accumulate(values.row(row).begin(), values.row(row).end(), 0.0) /
                    static_cast<double>(values.cols());
  }
  return means;
}

TEST_CASE("reference values: the edges into a ReLU and its bias carry its gradient x activation",
          "[methods][reference-values]") {
  Recorded recorded;
  const Matrix<double> expected =
      row_means(neurons_by_samples(recorded, "LayerGradientXActivation"));
  check_summary("edge_attribution", recorded, {}, 4, expected, [](const Matrix<double>& values) {
    Matrix<double> sums(values.rows(), 1);
    for (std::size_t row = 0; row < values.rows(); ++row) {
      sums(row, 0) = values(row, 0) + values(row, 3);
    }
    return sums;
  });
}

TEST_CASE("reference values: influence of the batch on itself is the squared mean gradient",
          "[methods][reference-values]") {
  Recorded recorded;
  const std::vector<nn::DenseLayer<double>> gradients = recorded.values.gradients();
  const nn::Topology topology = recorded.network.topology;
  const methods::MethodOptions options;
  Matrix<double> expected(topology.neurons(), 1);
  std::size_t row = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    for (std::size_t j = 0; j < topology.hidden[layer]; ++j, ++row) {
      const double of_bias = gradients[layer].bias[j];
      expected(row, 0) = options.rate * of_bias * of_bias;
      for (const double of_weight : gradients[layer].weights.row(j)) {
        expected(row, 0) += options.rate * of_weight * of_weight;
      }
    }
  }
  check_summary("influence", recorded, options, recorded.inputs.rows(), expected, row_means);
}

TEST_CASE("reference values: relevance without epsilon is gradient x activation",
          "[methods][reference-values]") {
  Recorded recorded;
  check("lrp_epsilon", recorded, {.epsilon = 1e-13},
        neurons_by_samples(recorded, "LayerGradientXActivation"));
}

TEST_CASE("reference values: the examples that activate a neuron most, in order",
          "[methods][reference-values]") {
  Recorded recorded;
  const Matrix<double> activations = neurons_by_samples(recorded, "activations");
  const std::size_t kept = static_cast<std::size_t>(methods::MethodOptions{}.examples);
  Matrix<double> numbers(activations.rows(), kept);
  Matrix<double> values(activations.rows(), kept);
  for (std::size_t row = 0; row < activations.rows(); ++row) {
    std::vector<std::size_t> order(activations.cols());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return activations(row, a) > activations(row, b);
    });
    for (std::size_t r = 0; r < kept; ++r) {
      numbers(row, r) = static_cast<double>(order[r]);
      values(row, r) = activations(row, order[r]);
    }
  }
  const auto half = [&](std::size_t first) {
    return [first, kept](const Matrix<double>& rows) {
      Matrix<double> part(rows.rows(), kept);
      copy(rows.view().cols_from(first, kept), part.view());
      return part;
    };
  };
  check_summary("top_examples", recorded, {}, 2 * kept, numbers, half(0));
  check_summary("top_examples", recorded, {}, 2 * kept, values, half(kept));
}

}  // namespace
}  // namespace interpscale::testing
