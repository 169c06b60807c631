// What holds of the methods that change activations or edges, beyond the contract.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "methods/engine/orders.hpp"
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

Matrix<float> run(const std::string& name, const methods::Probe<float>& probe,
                  const std::string& variant = "fast") {
  const Bench bench("simd");
  const methods::MethodSpec method = method_named(name);
  const methods::Problem problem = methods::problem_of(probe, bench.context());
  Matrix<float> out(method.rows(problem), method.column_count(problem));
  for (const methods::Variant& candidate : method.variants) {
    if (candidate.name == variant) {
      candidate.run(probe, bench.context(), out);
    }
  }
  return out;
}

std::uint64_t fast_flops(const std::string& name, const methods::Problem& problem) {
  for (const methods::Variant& variant : method_named(name).variants) {
    if (variant.name == "fast") {
      return variant.cost(problem).flops;
    }
  }
  throw std::runtime_error(name + " has no fast variant");
}

double fast_growth(const std::string& name, std::size_t width) {
  const auto problem = [](std::size_t units) {
    return methods::Problem{
        .topology = {64, {units}, 10, Activation::kRelu}, .batch = 32, .options = {}};
  };
  return std::log2(static_cast<double>(fast_flops(name, problem(2 * width))) /
                   static_cast<double>(fast_flops(name, problem(width))));
}

TEST_CASE("suffix methods: with one hidden layer what changes costs its logits, not a pass",
          "[methods][suffix]") {
  CHECK(std::abs(fast_growth("activation_patching", 4096) - 1.0) < 0.01);
  CHECK(std::abs(fast_growth("mean_ablation", 4096) - 1.0) < 0.01);
  CHECK(std::abs(fast_growth("neuron_shapley", 4096) - 1.0) < 0.01);
  CHECK(std::abs(fast_growth("pairwise_ablation", 4096) - 2.0) < 0.01);
}

TEST_CASE("activation_patching: where the donor is the batch nothing changes, or is computed",
          "[methods][suffix]") {
  Specimen specimen({.topology = {7, {13, 20, 9}, 4, Activation::kTanh}, .batch = 11});
  methods::Probe<float> probe = specimen.probe();
  probe.donor = probe.inputs;
  const Matrix<float> effects = run("activation_patching", probe);
  for (std::size_t j = 0; j < effects.rows(); ++j) {
    for (const float effect : effects.row(j)) {
      CHECK(effect == 0.0F);
    }
  }
  const Bench bench("reference");
  methods::Problem problem = methods::problem_of(probe, bench.context());
  const std::uint64_t none = fast_flops("activation_patching", problem);
  CHECK(problem.differing_pairs == std::vector<std::uint64_t>{0, 0, 0});
  // What is left are the passes of the batch and of its donor.
  CHECK(none <= 2 * nn::forward_flops(problem.topology, problem.batch));
  problem.differing_pairs.clear();
  CHECK(none < fast_flops("activation_patching", problem));
}

TEST_CASE("neuron_shapley: orders are permutations, the even ones reversed by their neighbours",
          "[methods][suffix]") {
  const methods::engine::Orders orders({.permutations = 6, .seed = 3}, 2);
  CHECK(orders.draws() == 3);
  for (std::size_t t = 0; t < orders.count(); t += 2) {
    std::vector<std::uint32_t> order(19);
    std::vector<std::uint32_t> opposite(19);
    orders.write(t, order);
    orders.write(t + 1, opposite);
    CHECK(std::equal(order.begin(), order.end(), opposite.rbegin()));
    std::sort(order.begin(), order.end());
    for (std::uint32_t j = 0; j < 19; ++j) {
      CHECK(order[j] == j);
    }
  }
  CHECK(methods::engine::Orders({.permutations = 25}, 0).draws() == 25);
  CHECK(methods::engine::Orders({.permutations = 2}, 0).draws() == 2);
}

TEST_CASE("neuron_shapley: the standard error of a single order is unknown", "[methods][suffix]") {
  Specimen specimen(
      {.topology = {5, {6, 4}, 3, Activation::kRelu}, .batch = 4, .options = {.permutations = 1}});
  const Matrix<float> shares = run("neuron_shapley", specimen.probe());
  for (std::size_t j = 0; j < shares.rows(); ++j) {
    CHECK(std::isfinite(shares(j, 0)));
    CHECK(std::isinf(shares(j, 1)));
  }
}

TEST_CASE("edge_pruning: a threshold beyond any divergence keeps no edge", "[methods][suffix]") {
  Specimen specimen(
      {.topology = {6, {9, 7}, 4, Activation::kRelu}, .batch = 8, .options = {.threshold = 1e6}});
  for (const char* variant : {"naive", "fast"}) {
    const Matrix<float> shares = run("edge_pruning", specimen.probe(), variant);
    for (std::size_t j = 0; j < shares.rows(); ++j) {
      CHECK(shares(j, 0) == 0.0F);
      CHECK(shares(j, 1) == 0.0F);
    }
  }
}

TEST_CASE("edge_pruning: a threshold of zero removes only edges without effect",
          "[methods][suffix]") {
  // Every edge between tanh units has an effect, unless its weight is zero.
  Specimen smooth(
      {.topology = {6, {9, 7}, 4, Activation::kTanh}, .batch = 8, .options = {.threshold = 0}});
  nn::Mlp<float> network = smooth.probe().network;
  network.layers[1].weights(2, 5) = 0.0F;
  methods::Probe<float> given = smooth.probe();
  const methods::Probe<float> probe{network,     given.inputs,  given.labels, given.baseline,
                                    given.donor, given.options, given.tape};
  for (const char* variant : {"naive", "fast"}) {
    const Matrix<float> shares = run("edge_pruning", probe, variant);
    for (std::size_t j = 0; j < shares.rows(); ++j) {
      CHECK(shares(j, 0) == (j == 9 + 2 ? 8.0F / 9.0F : 1.0F));
      CHECK(shares(j, 1) == (j == 5 ? 6.0F / 7.0F : 1.0F));
    }
  }
  // The first neuron of a ReLU specimen is dead: nothing goes in, nothing comes out.
  Specimen dead(
      {.topology = {6, {9, 7}, 4, Activation::kRelu}, .batch = 8, .options = {.threshold = 0}});
  const Matrix<float> shares = run("edge_pruning", dead.probe());
  CHECK(shares(0, 0) == 0.0F);
  CHECK(shares(0, 1) == 0.0F);
  for (std::size_t j = 9; j < 16; ++j) {
    CHECK(shares(j, 0) <= 8.0F / 9.0F);
  }
}

}  // namespace
}  // namespace interpscale::testing
