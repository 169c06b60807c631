// Surrogates built upon each other, against the same fitted one by one.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/recursion.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "interpscale/core/random.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "support/catch.hpp"

namespace interpscale::modules {
namespace {

struct Fixture {
  std::unique_ptr<kernels::Backend<float>> backend = *kernels::make_backend<float>("simd");
  Workspace workspace;
  nn::Mlp<float> network =
      nn::initialise_he<float>({.inputs = 6, .hidden = {11, 9, 7}, .outputs = 4}, 3, 0.3);
  data::Dataset dataset;
  std::vector<HiddenUnits> modules = {{{0, 2, 3, 7}, {1, 4}, {}},
                                      {{1, 4, 5, 6, 8, 9, 10}, {0, 2, 3, 5, 6, 7, 8}, {0, 3, 5}},
                                      {{}, {}, {1, 2, 4, 6}}};

  Fixture() {
    constexpr std::size_t kSamples = 1500;
    dataset.inputs = Matrix<float>(kSamples, 6);
    dataset.classes = 4;
    const RandomStream stream(9, 1);
    std::uint64_t index = 0;
    for (std::size_t s = 0; s < kSamples; ++s) {
      for (float& value : dataset.inputs.row(s)) {
        value = static_cast<float>(stream.normal(index++));
      }
      dataset.labels.push_back(static_cast<std::uint32_t>(s % 4));
    }
  }
  [[nodiscard]] kernels::Context<float> context(int threads = 1) {
    return {*backend, threads, workspace};
  }
  [[nodiscard]] Matrix<float> outputs(const std::vector<Surrogate>& surrogates) {
    Matrix<float> result(dataset.inputs.rows(), 4);
    static_cast<void>(losses_of(SplicedNetwork(network, surrogates), dataset, context(), result));
    return result;
  }
  [[nodiscard]] std::vector<Surrogate> built(const std::vector<HiddenUnits>& parts, Reads reads,
                                             double share, int threads = 1) {
    return understand_in_order(network, parts, dataset,
                               {.surrogate = {.kind = SurrogateKind::kLowRankRelu, .ridge = 1e-9},
                                .size_share = share,
                                .reads = reads},
                               context(threads));
  }
};

double largest_difference(const Matrix<float>& a, const Matrix<float>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.rows(); ++i) {
    for (std::size_t j = 0; j < a.cols(); ++j) {
      largest = std::max(largest, std::abs(static_cast<double>(a(i, j) - b(i, j))));
    }
  }
  return largest;
}

double largest_value(const Matrix<float>& a) {
  return largest_difference(a, Matrix<float>(a.rows(), a.cols()));
}

}  // namespace

TEST_CASE("recursion: parts are taken layer by layer, each neuron once", "[modules]") {
  Fixture fixture;
  const std::vector<HiddenUnits> parts = parts_by_module(fixture.modules);
  REQUIRE(parts.size() == 6);
  CHECK(parts[0] == HiddenUnits{{0, 2, 3, 7}, {}, {}});
  CHECK(parts[3][1] == fixture.modules[1][1]);
  CHECK(parts[5][2] == fixture.modules[2][2]);
  CHECK(parts_by_layer(fixture.network.topology).size() == 3);
  CHECK(parts_by_module({}).empty());
  std::size_t units = 0;
  for (const HiddenUnits& part : parts) {
    units += count_units(part);
  }
  CHECK(units == fixture.network.topology.neurons());
}

TEST_CASE("recursion: surrogates of the parts' own shape leak nothing, on whatever they are built",
          "[modules]") {
  Fixture fixture;
  const Matrix<float> whole = fixture.outputs({});
  for (const Reads reads : {Reads::kTrueActivations, Reads::kOwnOutputs}) {
    for (const auto& parts :
         {parts_by_module(fixture.modules), parts_by_layer(fixture.network.topology)}) {
      const Matrix<float> rebuilt = fixture.outputs(fixture.built(parts, reads, 1.0));
      // Full rank: rounding of three layers, and the ridge's share of the weights.
      CHECK(largest_difference(rebuilt, whole) <= 1e-4 * largest_value(whole));
    }
  }
}

TEST_CASE("recursion: nothing to understand changes no bit", "[modules]") {
  Fixture fixture;
  const std::vector<Surrogate> nothing = fixture.built({}, Reads::kOwnOutputs, 0.5);
  CHECK(nothing.empty());
  CHECK(largest_difference(fixture.outputs(nothing), fixture.outputs({})) == 0.0);
}

TEST_CASE("recursion: one pass gives what fitting part after part does", "[modules]") {
  Fixture fixture;
  std::vector<HiddenUnits> parts = parts_by_module(fixture.modules);
  parts.erase(parts.begin() + 2);  // the first module's second layer stays the network's own
  for (const Reads reads : {Reads::kTrueActivations, Reads::kOwnOutputs}) {
    const std::vector<Surrogate> built = fixture.built(parts, reads, 0.5);
    std::vector<Surrogate> singly;
    for (const HiddenUnits& part : parts) {
      const SplicedNetwork read(fixture.network,
                                reads == Reads::kOwnOutputs ? singly : std::vector<Surrogate>{});
      const auto size =
          static_cast<std::size_t>(std::ceil(0.5 * static_cast<double>(count_units(part))));
      singly.push_back(fit_surrogate(
          fixture.network, part, fixture.dataset, read,
          {.kind = SurrogateKind::kLowRankRelu, .size = size, .ridge = 1e-9}, fixture.context()));
    }
    REQUIRE(built.size() == singly.size());
    const Matrix<float> together = fixture.outputs(built);
    // Activations may be rounded in another order; least squares of well-conditioned moments passes
    // that on.
    CHECK(largest_difference(together, fixture.outputs(singly)) <= 1e-4 * largest_value(together));
    CHECK(largest_difference(together, fixture.outputs({})) > 0.01 * largest_value(together));
  }
}

TEST_CASE("recursion: any number of threads gives the same bits", "[modules]") {
  Fixture fixture;
  const std::vector<HiddenUnits> parts = parts_by_module(fixture.modules);
  CHECK(largest_difference(fixture.outputs(fixture.built(parts, Reads::kOwnOutputs, 0.3, 1)),
                           fixture.outputs(fixture.built(parts, Reads::kOwnOutputs, 0.3, 3))) ==
        0.0);
}

TEST_CASE("recursion: parts that span layers or descend are mistakes", "[modules]") {
  Fixture fixture;
  std::vector<HiddenUnits> parts = parts_by_layer(fixture.network.topology);
  std::ranges::reverse(parts);
  CHECK_THROWS_AS(fixture.built(parts, Reads::kOwnOutputs, 0.5), ContractViolation);
  CHECK_THROWS_AS(fixture.built({fixture.modules[0]}, Reads::kOwnOutputs, 0.5), ContractViolation);
  CHECK_THROWS_AS(fixture.built({HiddenUnits(3)}, Reads::kOwnOutputs, 0.5), ContractViolation);
}

}  // namespace interpscale::modules
