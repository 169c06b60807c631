// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "kernels/support.hpp"

namespace interpscale::kernels {
namespace {

using testing::all_backends;
using testing::gamma;
using testing::in_double;
using testing::Operand;
using testing::outside;
using testing::random_operand;
using testing::reference;

constexpr std::array kActivations = {Activation::kRelu, Activation::kSoftplus, Activation::kTanh};

struct Extents {
  std::size_t rows;
  std::size_t cols;
};
constexpr std::array kExtents = {Extents{1, 1},   Extents{3, 7},  Extents{2, 8},  Extents{5, 15},
                                 Extents{4, 16},  Extents{3, 17}, Extents{7, 65}, Extents{2, 100},
                                 Extents{9, 129}, Extents{4, 0},  Extents{0, 5}};
// Above the size from which threads share the work.
constexpr Extents kShared{300, 259};

// Highway's functions are good to 1 ulp (exp), 2 (log1p), 4 (expm1, tanh), an ulp being two
// roundings; libm's to 1. Sums of positive terms and products add one rounding each.
constexpr std::size_t kActivationRoundings = 2 * (1 + 2) + 1 + 2;
constexpr std::size_t kTanhRoundings = 2 * 4;
constexpr std::size_t kSlopeRoundings = 2 * 4 + 1 + 1;

TEMPLATE_TEST_CASE("activate: equals the reference, in place too", "[kernels][elementwise]", float,
                   double) {
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<TestType>()) {
    for (const Extents extents : kExtents) {
      for (const Activation phi : kActivations) {
        Operand<TestType> z = random_operand<TestType>(extents.rows, extents.cols, 1);
        for (std::size_t i = 0; i < extents.rows; ++i) {
          for (TestType& value : z.view().row(i)) {
            value *= TestType{6};  // into the tails
          }
        }
        Operand<double> wanted(extents.rows, extents.cols);
        reference().activate(phi, in_double(z), wanted, with);
        Operand<TestType> h(extents.rows, extents.cols);
        backend->activate(phi, z, h, with);
        const std::size_t roundings =
            phi == Activation::kTanh ? kTanhRoundings : kActivationRoundings;
        const auto bound = [&](std::size_t i, std::size_t j) {
          return gamma<TestType>(roundings) * std::abs(wanted.view()(i, j));
        };
        INFO(backend->name() << " " << backend->target() << " " << name_of(phi));
        CHECK(outside<TestType>(h.view(), wanted.view(), bound) == 0);
        CHECK(h.padding_is_untouched());
        backend->activate(phi, z, z, with);
        CHECK(testing::same_bits<TestType>(z, h));
      }
    }
  }
}

TEMPLATE_TEST_CASE("multiply_by_slope: equals the reference", "[kernels][elementwise]", float,
                   double) {
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<TestType>()) {
    for (const Extents extents : kExtents) {
      for (const Activation phi : kActivations) {
        Operand<TestType> h(extents.rows, extents.cols);
        backend->activate(phi, random_operand<TestType>(extents.rows, extents.cols, 1), h, with);
        Operand<TestType> g = random_operand<TestType>(extents.rows, extents.cols, 2);
        Operand<double> wanted = in_double(g);
        const Operand<double> before = wanted;
        reference().multiply_by_slope(phi, in_double(h), wanted, with);
        backend->multiply_by_slope(phi, h, g, with);
        // 1 - h^2 and 1 - exp(-h) are below 1: their roundings weigh against |g|.
        const auto bound = [&](std::size_t i, std::size_t j) {
          return gamma<TestType>(kSlopeRoundings) * std::abs(before.view()(i, j));
        };
        INFO(backend->name() << " " << backend->target() << " " << name_of(phi));
        CHECK(outside<TestType>(g.view(), wanted.view(), bound) == 0);
        CHECK(g.padding_is_untouched());
      }
    }
  }
}

TEMPLATE_TEST_CASE("multiply, accumulate_path_step and interpolate: equal the reference",
                   "[kernels][elementwise]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr double kShare = 0.3125;
  for (const auto& backend : all_backends<TestType>()) {
    for (const Extents extents : kExtents) {
      const std::size_t rows = extents.rows;
      const std::size_t cols = extents.cols;
      const auto a = random_operand<TestType>(rows, cols, 1);
      const auto b = random_operand<TestType>(rows, cols, 2);
      const auto g = random_operand<TestType>(rows, cols, 3);
      const Operand<double> a2 = in_double(a);
      const Operand<double> b2 = in_double(b);
      const Operand<double> g2 = in_double(g);
      INFO(backend->name() << " " << backend->target() << " " << rows << " x " << cols);

      Operand<TestType> got(rows, cols);
      Operand<double> wanted(rows, cols);
      backend->multiply(a, b, got, with);
      reference().multiply(a2, b2, wanted, with);
      CHECK(outside<TestType>(got.view(), wanted.view(), [&](std::size_t i, std::size_t j) {
              return gamma<TestType>(1) * std::abs(wanted.view()(i, j));
            }) == 0);

      got = g;
      wanted = g2;
      backend->accumulate_path_step(a, b, g, got, with);
      reference().accumulate_path_step(a2, b2, g2, wanted, with);
      CHECK(outside<TestType>(got.view(), wanted.view(), [&](std::size_t i, std::size_t j) {
              const double step = std::abs((a2.view()(i, j) - b2.view()(i, j)) * g2.view()(i, j));
              return gamma<TestType>(3) * (step + std::abs(g2.view()(i, j)));
            }) == 0);

      backend->interpolate(a, b, static_cast<TestType>(kShare), got, with);
      reference().interpolate(a2, b2, kShare, wanted, with);
      CHECK(outside<TestType>(got.view(), wanted.view(), [&](std::size_t i, std::size_t j) {
              const double way = std::abs(b2.view()(i, j) - a2.view()(i, j));
              return gamma<TestType>(3) * (std::abs(a2.view()(i, j)) + kShare * way);
            }) == 0);
      CHECK(got.padding_is_untouched());
    }
  }
}

TEMPLATE_TEST_CASE("element-wise operations: one and two threads give the same bits",
                   "[kernels][elementwise]", float, double) {
  Workspace workspace;
  const std::size_t rows = kShared.rows;
  const std::size_t cols = kShared.cols;
  const auto a = random_operand<TestType>(rows, cols, 1);
  const auto b = random_operand<TestType>(rows, cols, 2);
  const auto g = random_operand<TestType>(rows, cols, 3);
  for (const auto& backend : all_backends<TestType>()) {
    const auto run = [&](int threads) {
      const Execution with{threads, workspace};
      std::vector<Operand<TestType>> results(3, Operand<TestType>(rows, cols));
      for (const Activation phi : kActivations) {
        backend->activate(phi, a, results.emplace_back(rows, cols), with);
        results.push_back(g);
        backend->multiply_by_slope(phi, a, results.back(), with);
      }
      backend->multiply(a, b, results[0], with);
      backend->accumulate_path_step(a, b, g, results[1], with);
      backend->interpolate(a, b, TestType{0.25}, results[2], with);
      return results;
    };
    const auto one = run(1);
    const auto two = run(2);
    INFO(backend->name() << " " << backend->target());
    for (std::size_t i = 0; i < one.size(); ++i) {
      CHECK(testing::same_bits<TestType>(one[i], two[i]));
    }
  }
}

TEMPLATE_TEST_CASE("element-wise operations: different shapes are a contract violation",
                   "[kernels][elementwise]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<TestType>()) {
    const Operand<TestType> a(3, 4);
    Operand<TestType> out(3, 5);
    CHECK_THROWS_AS(backend->activate(Activation::kRelu, a, out, with), ContractViolation);
    CHECK_THROWS_AS(backend->multiply_by_slope(Activation::kRelu, a, out, with), ContractViolation);
    CHECK_THROWS_AS(backend->multiply(a, a, out, with), ContractViolation);
    CHECK_THROWS_AS(backend->accumulate_path_step(a, a, a, out, with), ContractViolation);
    CHECK_THROWS_AS(backend->interpolate(a, a, TestType{0}, out, with), ContractViolation);
  }
}

TEST_CASE("activation: names parse back, others are reported", "[kernels][elementwise]") {
  for (const Activation phi : kActivations) {
    CHECK(parse_activation(name_of(phi)).value() == phi);
  }
  CHECK(parse_activation("gelu").error().message.find("gelu") != std::string::npos);
}

}  // namespace
}  // namespace interpscale::kernels
