// The declared FLOPs grow with the declared exponents.
//
// The limit is "hidden layers dominating": width w and depth L both large, d, C and B fixed. There
// N = L w^2 and n = L w, so doubling the width at fixed depth multiplies N^p n^q by 2^(2p + q), and
// doubling the depth at fixed width by 2^(p + q): two equations that tell N from n. Suffix methods
// cost (L - l - 1) w^2 for a neuron of layer l, whose sum over layers is L^2 / 2 only up to 1 / L:
// hence the deep network. Terms of lower order in w and L leave at most kSlack in an exponent.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "interpscale/methods/registry.hpp"
#include "support/catch.hpp"

namespace interpscale::testing {
namespace {

using methods::Problem;

constexpr std::size_t kWidth = 1024;
constexpr std::size_t kDepth = 512;
constexpr double kSlack = 0.01;

Problem problem_with(std::size_t width, std::size_t depth, std::size_t batch, std::size_t inputs) {
  return {.topology = {inputs, std::vector<std::size_t>(depth, width), 8},
          .batch = batch,
          .options = {.steps = 4}};
}

/// kWidth, or less where the FLOPs of twice the width (about 2 N^p n^q B) would not fit
/// in 64 bits: methods of degree 4 in the width and more.
std::size_t width_for(const methods::Variant& variant) {
  std::size_t width = kWidth;
  const auto fits = [&] {
    const auto units = static_cast<double>(2 * width);
    const auto depth = static_cast<double>(kDepth);
    return 2.0 * 8.0 * std::pow(units * units * depth, variant.exponents.parameters) *
               std::pow(units * depth, variant.exponents.neurons) <=
           0x1p63;
  };
  while (!fits()) {
    width /= 2;
  }
  return width;
}

/// The same problem for a method that streams a data set: blocks of a batch's usual size, and many
/// more samples than a layer has units; fewer of them where neurons come one by one, whose FLOPs
/// would not fit 64 bits.
void make_streamed(const methods::Variant& variant, Problem& problem) {
  problem.batch *= 16;
  problem.dataset = problem.batch * (variant.exponents.neurons > 0 ? 8 : 512);
}

double flops_of(const methods::MethodSpec& method, const methods::Variant& variant,
                Problem problem) {
  if (method.streams) {
    make_streamed(variant, problem);
  }
  return static_cast<double>(variant.cost(problem).flops);
}

double log2_ratio(const methods::MethodSpec& method, const methods::Variant& variant,
                  const Problem& larger, const Problem& smaller) {
  return std::log2(flops_of(method, variant, larger) / flops_of(method, variant, smaller));
}

template <class Body>
void for_each_variant(const Body& body) {
  for (const methods::MethodSpec& method : methods::all_methods()) {
    for (const methods::Variant& variant : method.variants) {
      INFO(method.name << "/" << variant.name);
      body(method, variant);
    }
  }
}

TEST_CASE("methods: doubling the width multiplies FLOPs by 2^(2p + q)", "[methods][exponents]") {
  for_each_variant([](const methods::MethodSpec& method, const methods::Variant& variant) {
    const std::size_t width = width_for(variant);
    const double measured = log2_ratio(method, variant, problem_with(2 * width, kDepth, 8, 16),
                                       problem_with(width, kDepth, 8, 16));
    const double declared = 2 * variant.exponents.parameters + variant.exponents.neurons;
    CHECK(std::abs(measured - declared) <= kSlack);
  });
}

TEST_CASE("methods: doubling the depth multiplies FLOPs by 2^(p + q)", "[methods][exponents]") {
  for_each_variant([](const methods::MethodSpec& method, const methods::Variant& variant) {
    const std::size_t width = width_for(variant);
    const double measured = log2_ratio(method, variant, problem_with(width, 2 * kDepth, 8, 16),
                                       problem_with(width, kDepth, 8, 16));
    const double declared = variant.exponents.parameters + variant.exponents.neurons;
    CHECK(std::abs(measured - declared) <= kSlack);
  });
}

TEST_CASE("methods: doubling the batch multiplies FLOPs by 2^b", "[methods][exponents]") {
  for_each_variant([](const methods::MethodSpec& method, const methods::Variant& variant) {
    const std::size_t width = width_for(variant);
    // Of differences, so that what does not depend on the batch (a baseline's pass) drops out; of
    // few samples, so that what grows with pairs of them stays below what grows with the width.
    const auto flops = [&](std::size_t batch) {
      return flops_of(method, variant, problem_with(width, kDepth, batch, 16));
    };
    const double smaller = flops(4) - flops(2);
    const double larger = flops(8) - flops(4);
    const double measured = smaller == 0.0 && larger == 0.0 ? 0.0 : std::log2(larger / smaller);
    CHECK(std::abs(measured - variant.exponents.batch) <= kSlack);
  });
}

TEST_CASE("methods: doubling the inputs multiplies FLOPs by 2^i", "[methods][exponents]") {
  for_each_variant([](const methods::MethodSpec& method, const methods::Variant& variant) {
    const std::size_t width = width_for(variant);
    const double measured = log2_ratio(method, variant, problem_with(width, kDepth, 8, 512),
                                       problem_with(width, kDepth, 8, 256));
    CHECK(std::abs(measured - variant.exponents.inputs) <= kSlack);
  });
}

}  // namespace
}  // namespace interpscale::testing
