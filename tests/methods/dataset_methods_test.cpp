// What holds of the methods that pass over a data set, beyond the contract.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "methods/specimen.hpp"
#include "support/catch.hpp"

namespace interpscale::testing {
namespace {

methods::MethodSpec method_named(const std::string& name) {
  for (methods::MethodSpec& method : methods::all_methods()) {
    if (method.name == name) {
      return method;
    }
  }
  throw std::runtime_error("no method " + name);
}

/// One hidden unit h = max(x + bias, 0) on inputs of one number.
struct OneUnit {
  explicit OneUnit(const std::vector<float>& inputs, std::vector<std::uint32_t> labels_in)
      : network{topology, nn::zero_layers<float>(topology)},
        data(inputs.size(), 1),
        labels(std::move(labels_in)),
        tape(topology, 4) {
    network.layers[0].weights(0, 0) = 1.0F;
    for (std::size_t s = 0; s < inputs.size(); ++s) {
      data(s, 0) = inputs[s];
    }
  }

  /// The row of the fast variant, streamed in blocks of four samples.
  std::vector<float> row(const std::string& name, const methods::MethodOptions& options = {}) {
    const methods::MethodSpec method = method_named(name);
    methods::Probe<float> probe{network,
                                data.view().rows_from(0, 4),
                                std::span(labels).first(4),
                                {},
                                {},
                                options,
                                tape,
                                data,
                                labels};
    const methods::Problem problem{topology, 4, options, {}, 1, false, data.rows()};
    Matrix<float> out(1, method.column_count(problem));
    const Bench bench("simd");
    method.variants.back().run(probe, bench.context(), out);
    return {out.row(0).begin(), out.row(0).end()};
  }

  nn::Topology topology{1, {1}, 2, Activation::kRelu};
  nn::Mlp<float> network;
  Matrix<float> data;
  std::vector<std::uint32_t> labels;
  nn::Tape<float> tape;
};

TEST_CASE("top_examples: of equal activations the earlier samples, across blocks",
          "[methods][top_examples]") {
  OneUnit unit({1, -1, 3, 1, 3, 0, 1, 3, 2, -5}, std::vector<std::uint32_t>(10, 0));
  CHECK(unit.row("top_examples", {.examples = 6}) ==
        std::vector<float>{2, 4, 7, 8, 0, 3, 3, 3, 3, 2, 1, 1});
  CHECK(unit.row("top_examples", {.examples = 20}).size() == 20);
}

TEST_CASE("class_selectivity: nothing of a constant neuron, everything where the label decides",
          "[methods][class_selectivity]") {
  OneUnit constant({1, 2, 3, 4, 5, 6}, {0, 1, 0, 1, 0, 1});
  CHECK(constant.row("class_selectivity") == std::vector<float>{0, 3, 4});
  OneUnit decided({1, -2, 3, -4, 5, -6, -1, -1}, {0, 1, 0, 1, 0, 1, 1, 1});
  const std::vector<float> row = decided.row("class_selectivity");
  const double entropy = -3.0 / 8.0 * std::log(3.0 / 8.0) - 5.0 / 8.0 * std::log(5.0 / 8.0);
  CHECK(std::abs(static_cast<double>(row[0]) - entropy) < 1e-7);
  CHECK(row[1] == 3.0F);
  CHECK(row[2] == 0.0F);
}

TEST_CASE("linear_probe: a unit that is the class has a weight near one, shrunk by the ridge",
          "[methods][linear_probe]") {
  OneUnit unit({1, 0, 1, 0, 1, 0, 1, 0}, {1, 0, 1, 0, 1, 0, 1, 0});
  // Centred squares: 8/4 = 2; lambda = 0.5 * 4 = 2; covariance with class 1: 2.
  const std::vector<float> row = unit.row("linear_probe", {.ridge = 0.5});
  CHECK(std::abs(row[1] - 0.5F) < 1e-6F);
  CHECK(std::abs(row[0] + 0.5F) < 1e-6F);
}

/// What the dictionaries of a specimen's layers explain, by the definition.
std::vector<double> explained(Specimen& specimen, const methods::MethodOptions& options) {
  methods::Probe<float> probe = specimen.probe();
  probe.options = options;
  const methods::DoubleSpecimen exact(probe);
  const methods::MethodSpec method = method_named("sparse_autoencoder");
  methods::Problem problem = specimen.problem();
  problem.options = options;
  Matrix<double> values(method.rows(problem), 3);
  method.reference(exact.probe(), exact.context(), values);
  std::vector<double> result;
  std::size_t row = 0;
  for (const std::size_t width : problem.topology.hidden) {
    result.push_back(values(row, 2));
    row += width * static_cast<std::size_t>(options.latents_per_unit);
  }
  return result;
}

TEST_CASE("sparse_autoencoder: training explains more and more", "[methods][sparse_autoencoder]") {
  Specimen specimen({.topology = {6, {12, 9}, 3, Activation::kRelu}, .batch = 20, .dataset = 100});
  methods::MethodOptions options{.active_latents = 4};
  options.dictionary_steps = 1;
  std::vector<double> before = explained(specimen, options);
  for (const int steps : {20, 200, 1000}) {
    options.dictionary_steps = steps;
    const std::vector<double> after = explained(specimen, options);
    for (std::size_t layer = 0; layer < after.size(); ++layer) {
      INFO("layer " << layer << " after " << steps << " steps");
      CHECK(after[layer] > before[layer]);
      CHECK(after[layer] <= 1.0);
    }
    before = after;
  }
  CHECK(before[0] > 0.8);
}

TEST_CASE("sparse_autoencoder: as many latents as units, all in use, can be exact",
          "[methods][sparse_autoencoder]") {
  Specimen specimen({.topology = {6, {5}, 3, Activation::kTanh}, .batch = 40});
  const methods::MethodOptions options{
      .latents_per_unit = 1, .active_latents = 5, .dictionary_steps = 6000, .dictionary_rate = 0.3};
  CHECK(explained(specimen, options)[0] > 0.999);
}

TEST_CASE("sparse_autoencoder: float training stays with double where no choice is near a tie",
          "[methods][sparse_autoencoder]") {
  // All latents in use: nothing is chosen, and what is left is rounding.
  Specimen specimen({.topology = {6, {17, 9}, 3, Activation::kRelu},
                     .batch = 12,
                     .options = {.latents_per_unit = 1, .active_latents = 17},
                     .dataset = 50});
  const methods::MethodSpec method = method_named("sparse_autoencoder");
  const Bench bench("simd");
  const auto verification =
      methods::verify(method, method.variants.front(), specimen.probe(), bench.context());
  CHECK(verification.allowed < 1e-2);
  CHECK(verification.deviation <= verification.allowed);
}

}  // namespace
}  // namespace interpscale::testing
