// What holds of feature_visualization beyond the contract.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "methods/engine/plain.hpp"
#include "methods/engine/plain_ascent.hpp"
#include "methods/recorded.hpp"
#include "methods/specimen.hpp"
#include "support/catch.hpp"

namespace interpscale::testing {
namespace {

/// The pre-activations found, by the definition or by a variant.
std::vector<double> exact_values(Specimen& specimen, const methods::MethodOptions& options) {
  methods::Probe<float> probe = specimen.probe();
  probe.options = options;
  const methods::DoubleSpecimen exact(probe);
  const std::size_t inputs = probe.network.topology.inputs;
  Matrix<double> out(probe.network.topology.neurons(), inputs + 2);
  method_named("feature_visualization").reference(exact.probe(), exact.context(), out);
  std::vector<double> values;
  for (std::size_t row = 0; row < out.rows(); ++row) {
    values.push_back(out(row, inputs));
  }
  return values;
}

std::vector<float> found_values(Specimen& specimen, const methods::Variant& variant,
                                const methods::MethodOptions& options) {
  methods::Probe<float> probe = specimen.probe();
  probe.options = options;
  const std::size_t inputs = probe.network.topology.inputs;
  Matrix<float> out(probe.network.topology.neurons(), inputs + 2);
  const Bench bench("simd");
  variant.run(probe, bench.context(), out);
  std::vector<float> values;
  for (std::size_t row = 0; row < out.rows(); ++row) {
    values.push_back(out(row, inputs));
  }
  return values;
}

TEST_CASE("feature_visualization: the value never falls, step by step and start by start",
          "[methods][feature_visualization]") {
  for (const auto phi : {Activation::kRelu, Activation::kTanh}) {
    Specimen specimen({.topology = {9, {17, 12, 6}, 4, phi}, .batch = 2, .training_steps = 10});
    const auto rises = [](const auto& before, const auto& after) {
      for (std::size_t row = 0; row < before.size(); ++row) {
        if (after[row] < before[row]) {
          return false;
        }
      }
      return true;
    };
    for (int k = 1; k <= 12; ++k) {
      INFO("step " << k);
      CHECK(rises(exact_values(specimen, {.steps = k}), exact_values(specimen, {.steps = k + 1})));
      for (const methods::Variant& variant : method_named("feature_visualization").variants) {
        CHECK(rises(found_values(specimen, variant, {.steps = k}),
                    found_values(specimen, variant, {.steps = k + 1})));
      }
    }
    CHECK(rises(exact_values(specimen, {.steps = 4, .starts = 1}),
                exact_values(specimen, {.steps = 4, .starts = 3})));
  }
}

TEST_CASE("feature_visualization: ascent climbs above the best of many random inputs",
          "[methods][feature_visualization]") {
  Specimen specimen({.topology = {6, {16, 12}, 3, Activation::kRelu}, .batch = 2});
  const methods::DoubleSpecimen exact(specimen.probe());
  const nn::Mlp<double>& network = exact.probe().network;
  constexpr std::size_t kTries = 2000;
  for (std::size_t unit = 0; unit < 12; ++unit) {
    INFO("unit " << unit);
    const methods::MethodOptions options{.steps = 64, .starts = 8};
    const double found = methods::engine::plain_best_walk(network, 1, unit, options).value;
    double best = -HUGE_VAL;
    for (std::size_t s = 0; s < kTries; ++s) {
      const std::vector<double> x = methods::engine::ascent_start(options, 100 + s, 6);
      best = std::max(best, methods::engine::plain_forward(network, x).z[1][unit]);
    }
    CHECK(found >= best);
  }
}

TEST_CASE("feature_visualization: rows are compared unless rounding decides their walk",
          "[methods][feature_visualization]") {
  // Far fewer than all rows may be set aside: a check that compares nothing is none.
  std::size_t rows = 0;
  std::size_t clear = 0;
  for (const Case& problem : awkward_cases()) {
    Specimen specimen(problem);
    const methods::DoubleSpecimen exact(specimen.probe());
    for (const double clearance : method_named("feature_visualization").clearance(exact.probe())) {
      ++rows;
      clear += clearance > methods::kRowClearance ? 1U : 0U;
    }
  }
  INFO(clear << " of " << rows);
  CHECK(clear >= rows * 9 / 10);
}

TEST_CASE("feature_visualization: a tile that fits the memory it is given",
          "[methods][feature_visualization]") {
  const methods::MethodSpec method = method_named("feature_visualization");
  methods::Problem problem{
      .topology = {784, {1024, 1024, 1024}, 10, Activation::kRelu}, .batch = 256, .options = {}};
  for (const std::size_t budget : {std::size_t{1} << 20, std::size_t{8} << 20}) {
    problem.options.workspace_bytes = budget;
    // Beside the tile, what the starts take.
    CHECK(method.variants.back().workspace_bytes(problem) <= budget + (std::size_t{64} << 10));
  }
  Specimen specimen({.topology = {5, {40, 30}, 3, Activation::kRelu}, .batch = 2});
  const auto whole = found_values(specimen, method.variants.back(), {.steps = 3});
  const auto tiled =
      found_values(specimen, method.variants.back(), {.steps = 3, .workspace_bytes = 4096});
  for (std::size_t row = 0; row < whole.size(); ++row) {
    CHECK(std::abs(whole[row] - tiled[row]) <= 1e-5F * std::max(1.0F, std::abs(whole[row])));
  }
}

}  // namespace
}  // namespace interpscale::testing
