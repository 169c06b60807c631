// What holds of single methods beyond the contract.
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

std::uint64_t flops(const std::string& variant, const methods::MethodSpec& method,
                    const methods::Problem& problem) {
  for (const methods::Variant& candidate : method.variants) {
    if (candidate.name == variant) {
      return candidate.cost(problem).flops;
    }
  }
  throw std::runtime_error("no variant " + variant);
}

/// Largest |sum over the first layer - (F(x) - F(x'))| of the definition with K steps.
double completeness_error(Specimen& specimen, int steps) {
  methods::Probe<float> probe = specimen.probe();
  probe.options.steps = steps;
  const methods::DoubleSpecimen exact(probe);
  const methods::MethodSpec method = method_named("layer_conductance");
  Matrix<double> values(probe.network.topology.neurons(), probe.inputs.rows());
  method.reference(exact.probe(), exact.context(), values);
  nn::forward(exact.probe().network, exact.probe().inputs, exact.probe().tape, exact.context());
  const Matrix<double> at_inputs = exact.probe().tape.logits;
  const Matrix<double> zeros(probe.inputs.rows(), probe.inputs.cols());
  nn::forward<double>(exact.probe().network, zeros, exact.probe().tape, exact.context());
  double worst = 0.0;
  for (std::size_t b = 0; b < values.cols(); ++b) {
    const std::uint32_t target = probe.labels[b];
    double sum = exact.probe().tape.logits(b, target) - at_inputs(b, target);
    for (std::size_t j = 0; j < probe.network.topology.hidden[0]; ++j) {
      sum += values(j, b);
    }
    worst = std::max(worst, std::abs(sum));
  }
  return worst;
}

TEST_CASE("layer_conductance: the quadrature error falls as 1 / K on a smooth network",
          "[methods][layer_conductance]") {
  Specimen specimen({.topology = {6, {16, 9}, 4, Activation::kSoftplus}, .batch = 5});
  const double coarse = completeness_error(specimen, 16);
  const double fine = completeness_error(specimen, 64);
  // A left Riemann sum is of first order: a quarter, up to the next order's share.
  CHECK(fine < coarse / 3.0);
  CHECK(fine > coarse / 5.0);
}

TEST_CASE("zero_ablation: with one hidden layer a pair costs its logits, not a pass",
          "[methods][zero_ablation]") {
  const methods::MethodSpec method = method_named("zero_ablation");
  const auto problem = [](std::size_t width) {
    return methods::Problem{
        .topology = {64, {width}, 10, Activation::kRelu}, .batch = 32, .options = {}};
  };
  const auto ratio = [&](const std::string& variant) {
    return std::log2(static_cast<double>(flops(variant, method, problem(8192))) /
                     static_cast<double>(flops(variant, method, problem(4096))));
  };
  CHECK(std::abs(ratio("fast") - 1.0) < 0.01);
  CHECK(std::abs(ratio("naive") - 2.0) < 0.01);
}

TEST_CASE("zero_ablation: inactive pairs cost nothing", "[methods][zero_ablation]") {
  const methods::MethodSpec method = method_named("zero_ablation");
  methods::Problem problem{
      .topology = {8, {64, 64, 64}, 10, Activation::kRelu}, .batch = 32, .options = {}};
  const std::uint64_t dense = flops("fast", method, problem);
  problem.active_pairs = {32 * 64, 32 * 64, 32 * 64};
  CHECK(flops("fast", method, problem) == dense);
  problem.active_pairs = {0, 0, 0};
  CHECK(flops("fast", method, problem) ==
        nn::forward_flops(problem.topology, 32) + kernels::cross_entropy_flops(32, 10));
}

}  // namespace
}  // namespace interpscale::testing
