// The fast variants that go over active units alone, on networks where that is a corner: dead
// layers, layers all of whose units are active, units exactly at the kink, one sample, one unit.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <functional>

#include "interpscale/kernels/counting_backend.hpp"
#include "methods/specimen.hpp"
#include "support/catch.hpp"

namespace interpscale::testing {
namespace {

constexpr std::array kByActivity = {"activation_patching", "mean_ablation",
                                    "neuron_gradient",     "neuron_integrated_gradients",
                                    "neuron_conductance",  "zero_ablation"};

using Change = std::function<void(nn::Mlp<float>&)>;

/// Moves all units of a hidden layer to one side of the kink.
Change all_units(std::size_t layer, float bias) {
  return [layer, bias](nn::Mlp<float>& network) {
    std::fill(network.layers[layer].bias.begin(), network.layers[layer].bias.end(), bias);
  };
}

/// Every other unit of every hidden layer has a pre-activation of zero, whatever comes in.
void half_at_the_kink(nn::Mlp<float>& network) {
  for (std::size_t layer = 0; layer + 1 < network.layers.size(); ++layer) {
    nn::DenseLayer<float>& dense = network.layers[layer];
    for (std::size_t j = 1; j < dense.bias.size(); j += 2) {
      dense.bias[j] = 0.0F;
      std::fill(dense.weights.row(j).begin(), dense.weights.row(j).end(), 0.0F);
    }
  }
}

void leave(nn::Mlp<float>&) {}

/// body(variant, probe) for the fast variants above.
void for_each_engine(const Case& problem, const Change& change,
                     const std::function<void(const methods::MethodSpec&, const methods::Variant&,
                                              const methods::Probe<float>&)>& body) {
  Specimen specimen(problem);
  const methods::Probe<float> given = specimen.probe();
  nn::Mlp<float> network = given.network;
  change(network);
  const methods::Probe<float> probe{network,        given.inputs,  given.labels,
                                    given.baseline, given.donor,   given.options,
                                    given.tape,     given.dataset, given.dataset_labels};
  for (const methods::MethodSpec& method : methods::all_methods()) {
    if (std::find(kByActivity.begin(), kByActivity.end(), method.name) == kByActivity.end()) {
      continue;
    }
    for (const methods::Variant& variant : method.variants) {
      if (variant.name == "fast") {
        INFO(method.name << " on " << problem.topology.name() << ", B = " << problem.batch);
        body(method, variant, probe);
      }
    }
  }
}

void check_engines(const Case& problem, const Change& change) {
  const Bench reference("reference");
  const auto counting = kernels::make_counting_backend(reference.backend());
  const Bench counted(*counting);
  const Bench simd("simd");
  for_each_engine(
      problem, change,
      [&](const methods::MethodSpec& method, const methods::Variant& variant,
          const methods::Probe<float>& probe) {
        const auto verification = methods::verify(method, variant, probe, simd.context());
        CHECK(verification.deviation <= verification.allowed);
        const methods::Problem measured = methods::problem_of(probe, reference.context());
        Matrix<float> out(method.rows(measured), method.column_count(measured));
        counting->reset();
        variant.run(probe, counted.context(), out);
        CHECK(counting->flops() == variant.cost(measured).flops);
      });
}

/// The second and third hidden layers are wide enough for suffixes to go by activity between them.
const Case kDeep = {
    .topology = {9, {40, 70, 67, 12}, 4, Activation::kRelu}, .batch = 7, .options = {.steps = 3}};

TEST_CASE("products over active units: dead layers pass nothing on", "[methods][active]") {
  for (const std::size_t layer : {0U, 1U, 3U}) {
    check_engines(kDeep, all_units(layer, -100.0F));
  }
}

TEST_CASE("products over active units: layers all of whose units are active", "[methods][active]") {
  for (const std::size_t layer : {0U, 1U, 3U}) {
    check_engines(kDeep, all_units(layer, 100.0F));
  }
  check_engines(kDeep, [](nn::Mlp<float>& network) {
    for (std::size_t layer = 0; layer < 4; ++layer) {
      all_units(layer, 100.0F)(network);
    }
  });
}

TEST_CASE("products over active units: units exactly at the kink are inactive",
          "[methods][active]") {
  check_engines(kDeep, half_at_the_kink);
}

TEST_CASE("products over active units: one sample, one unit a layer, one input",
          "[methods][active]") {
  check_engines(
      {.topology = {9, {33, 18, 20}, 3, Activation::kRelu}, .batch = 1, .options = {.steps = 3}},
      leave);
  check_engines(
      {.topology = {1, {1, 1, 1}, 2, Activation::kRelu}, .batch = 4, .options = {.steps = 3}},
      leave);
}

TEST_CASE("products over active units: the memory budget does not change a bit",
          "[methods][active]") {
  const Bench bench("simd");
  const auto results = [&](std::size_t bytes) {
    Case problem = kDeep;
    problem.options.workspace_bytes = bytes;
    std::vector<Matrix<float>> all;
    for_each_engine(problem, leave,
                    [&](const methods::MethodSpec& method, const methods::Variant& variant,
                        const methods::Probe<float>& probe) {
                      const methods::Problem measured = methods::problem_of(probe, bench.context());
                      Matrix<float> out(method.rows(measured), method.column_count(measured));
                      variant.run(probe, bench.context(), out);
                      all.push_back(std::move(out));
                    });
    return all;
  };
  const std::vector<Matrix<float>> small = results(1);
  const std::vector<Matrix<float>> large = results(std::size_t{64} << 20U);
  REQUIRE(small.size() == kByActivity.size());
  for (std::size_t k = 0; k < small.size(); ++k) {
    INFO(kByActivity[k]);
    for (std::size_t i = 0; i < small[k].rows(); ++i) {
      CHECK(std::equal(small[k].row(i).begin(), small[k].row(i).end(), large[k].row(i).begin()));
    }
  }
}

}  // namespace
}  // namespace interpscale::testing
