// The methods that change activations, against values that an established attribution library
// computed in double precision (tests/data/README.md has the conventions).
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "methods/recorded.hpp"

namespace interpscale::testing {
namespace {

nlohmann::json interventions() {
  std::ifstream stream(std::string(INTERPSCALE_TEST_DATA) + "/mlp_interventions.json");
  REQUIRE(stream.good());
  return nlohmann::json::parse(stream);
}

/// One value a neuron, value(layer, j), as [n, 1].
template <class Value>
Matrix<double> scores(const nn::Topology& topology, const Value& value) {
  Matrix<double> rows(topology.neurons(), 1);
  std::size_t row = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    for (std::size_t j = 0; j < topology.hidden[layer]; ++j) {
      rows(row++, 0) = value(layer, j);
    }
  }
  return rows;
}

TEST_CASE("reference values: zero ablation's effect on every example's loss and logit",
          "[methods][reference-values]") {
  Recorded recorded;
  const nlohmann::json changed = interventions();
  const Matrix<double> all = recorded.inputs;
  const Matrix<float> all_float = recorded.inputs_float;
  const std::vector<std::uint32_t> labels = recorded.labels;
  const nn::Topology topology = recorded.network.topology;
  recorded.inputs = Matrix<double>(1, all.cols());
  recorded.inputs_float = Matrix<float>(1, all.cols());
  for (std::size_t b = 0; b < labels.size(); ++b) {
    copy(all.view().rows_from(b, 1), recorded.inputs.view());
    copy(all_float.view().rows_from(b, 1), recorded.inputs_float.view());
    recorded.labels = {labels[b]};
    check("zero_ablation", recorded, {.metric = Metric::kLoss},
          scores(topology, [&](std::size_t layer, std::size_t j) {
            return recorded.values.field("ablation_loss_change_per_example")
                .at(layer)
                .at(j)
                .at(b)
                .get<double>();
          }));
    // The library subtracts the other way round.
    check("zero_ablation", recorded, {.metric = Metric::kTarget},
          scores(topology, [&](std::size_t layer, std::size_t j) {
            return -changed.at("LayerFeatureAblation").at(layer).at(b).at(j).get<double>();
          }));
  }
}

TEST_CASE("reference values: mean change of the loss under mean ablation",
          "[methods][reference-values]") {
  Recorded recorded;
  const nlohmann::json changed = interventions();
  check("mean_ablation", recorded, {},
        scores(recorded.network.topology, [&](std::size_t layer, std::size_t j) {
          return changed.at("mean_ablation_loss_change_mean").at(layer).at(j).get<double>();
        }));
}

/// Interactions between neurons of different layers, which are not recorded, at 0.
template <class T>
Matrix<T> within_layers(const nn::Topology& topology, Matrix<T> values) {
  std::size_t first = 0;
  for (const std::size_t width : topology.hidden) {
    for (std::size_t i = first; i < first + width; ++i) {
      for (std::size_t j = 0; j < values.cols(); ++j) {
        values(i, j) = j >= first && j < first + width ? values(i, j) : T{0};
      }
    }
    first += width;
  }
  return values;
}

TEST_CASE("reference values: two neurons of a layer at zero", "[methods][reference-values]") {
  Recorded recorded;
  const nn::Topology topology = recorded.network.topology;
  const nlohmann::json pairs = interventions().at("pair_ablation_loss_change_mean");
  Matrix<double> expected(topology.neurons(), topology.neurons());
  std::size_t first = 0;
  for (const nlohmann::json& layer : pairs) {
    const Matrix<double> both = json_matrix(layer);
    for (std::size_t i = 0; i < both.rows(); ++i) {
      for (std::size_t j = 0; j < both.rows(); ++j) {
        expected(first + i, first + j) = both(i, j) - both(i, i) - both(j, j);
      }
    }
    first += both.rows();
  }
  const methods::MethodSpec method = method_named("pairwise_ablation");
  const auto backend = kernels::make_backend<double>("reference").value();
  Workspace workspace;
  Matrix<double> exact(expected.rows(), expected.cols());
  method.reference(recorded.probe({}), {*backend, 1, workspace}, exact);
  CHECK(deviation(within_layers(topology, exact), expected) <= kDoubleAgreement);
  for (const std::string& name : kernels::backend_names<float>()) {
    const Bench bench(name);
    for (const methods::Variant& variant : method.variants) {
      INFO(variant.name << " on " << name);
      Matrix<float> computed(expected.rows(), expected.cols());
      variant.run(recorded.probe_float({}), bench.context(), computed);
      CHECK(deviation(within_layers(topology, computed), expected) <= kFloatAgreement);
    }
  }
}

TEST_CASE("reference values: sampled Shapley values are near the exact ones",
          "[methods][reference-values]") {
  Recorded recorded;
  const nn::Topology topology = recorded.network.topology;
  const nlohmann::json exact = interventions().at("Shapley_exact_target_logit");
  const auto mean_of = [&](std::size_t layer, std::size_t j) {
    double sum = 0.0;
    for (const nlohmann::json& example : exact.at(layer)) {
      sum += example.at(j).get<double>();
    }
    return sum / static_cast<double>(exact.at(layer).size());
  };
  const Matrix<double> expected = scores(topology, mean_of);
  const methods::MethodSpec method = method_named("neuron_shapley");
  for (const int permutations : {101, 200}) {  // single orders, antithetic pairs
    for (const methods::Variant& variant : method.variants) {
      INFO(variant.name << ", " << permutations << " permutations");
      const Bench bench("simd");
      Matrix<float> found(expected.rows(), 2);
      variant.run(recorded.probe_float({.permutations = permutations}), bench.context(), found);
      for (std::size_t row = 0; row < found.rows(); ++row) {
        INFO("neuron " << row << ": " << found(row, 0) << " +- " << found(row, 1));
        const double rounding = kFloatAgreement * largest(expected);
        CHECK(std::abs(static_cast<double>(found(row, 0)) - expected(row, 0)) <=
              4.0 * static_cast<double>(found(row, 1)) + rounding);
      }
    }
  }
}

}  // namespace
}  // namespace interpscale::testing
