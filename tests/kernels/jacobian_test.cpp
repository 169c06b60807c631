// Suffix rows, transposition and Jacobians.
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
using testing::random_indices;
using testing::random_operand;
using testing::random_vector;
using testing::reference;

constexpr std::array kActivations = {Activation::kRelu, Activation::kSoftplus, Activation::kTanh};
constexpr std::array<std::size_t, 8> kWidths = {1, 3, 8, 15, 16, 17, 65, 129};

TEMPLATE_TEST_CASE("rank_one_rows: equals the reference", "[kernels][rows]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr std::size_t kSamples = 5;
  constexpr std::size_t kUnits = 7;
  constexpr std::size_t kRows = 23;
  const auto sample = random_indices(kRows, kSamples, 1);
  const auto unit = random_indices(kRows, kUnits, 2);
  const auto delta = random_vector<TestType>(kRows, 3);
  const auto delta2 = in_double(delta);
  for (const auto& backend : all_backends<TestType>()) {
    for (const std::size_t width : kWidths) {
      const auto z = random_operand<TestType>(kSamples, width, 4);
      const auto columns = random_operand<TestType>(kUnits, width, 5);
      for (const bool relu : {false, true}) {
        Operand<TestType> got(kRows, width);
        Operand<double> wanted(kRows, width);
        backend->rank_one_rows(z, columns, {sample, unit, delta}, relu, got, with);
        reference().rank_one_rows(in_double(z), in_double(columns), {sample, unit, delta2}, relu,
                                  wanted, with);
        INFO(backend->name() << " " << backend->target() << " width " << width);
        CHECK(outside<TestType>(got.view(), wanted.view(), [&](std::size_t r, std::size_t j) {
                const auto magnitude = std::abs(z.view()(sample[r], j)) +
                                       std::abs(delta[r] * columns.view()(unit[r], j));
                return gamma<TestType>(3) * static_cast<double>(magnitude);
              }) == 0);
        CHECK(got.padding_is_untouched());
      }
    }
  }
}

TEMPLATE_TEST_CASE("transpose: every element moves, nothing else does", "[kernels][rows]", float,
                   double) {
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<TestType>()) {
    for (const std::size_t rows : kWidths) {
      for (const std::size_t cols : kWidths) {
        const auto a = random_operand<TestType>(rows, cols, 1);
        Operand<TestType> out(cols, rows);
        backend->transpose(a, out, with);
        INFO(backend->name() << " " << backend->target() << " " << rows << " x " << cols);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < rows; ++i) {
          for (std::size_t j = 0; j < cols; ++j) {
            wrong += out.view()(j, i) == a.view()(i, j) ? 0U : 1U;
          }
        }
        CHECK(wrong == 0);
        CHECK(out.padding_is_untouched());
      }
    }
  }
}

TEMPLATE_TEST_CASE("jacobians: first, scaled and accumulated equal the reference",
                   "[kernels][jacobian]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr std::size_t kSamples = 19;
  constexpr std::size_t kUnits = 5;
  for (const auto& backend : all_backends<TestType>()) {
    for (const std::size_t inputs : kWidths) {
      const auto weights = random_operand<TestType>(kUnits, inputs, 2);
      const auto dense = random_operand<TestType>(kUnits, kSamples * inputs, 3);
      INFO(backend->name() << " " << backend->target() << " inputs " << inputs);
      for (const Activation phi : kActivations) {
        Operand<TestType> h(kSamples, kUnits);
        backend->activate(phi, random_operand<TestType>(kSamples, kUnits, 1), h, with);
        Operand<TestType> first(kUnits, kSamples * inputs);
        Operand<double> wanted_first(kUnits, kSamples * inputs);
        backend->first_jacobian(phi, h, weights, first, with);
        reference().first_jacobian(phi, in_double(h), in_double(weights), wanted_first, with);
        // Slopes are at most 1 and carry at most 4 ulp and a rounding; the product one more.
        CHECK(outside<TestType>(
                  first.view(), wanted_first.view(), [&](std::size_t j, std::size_t column) {
                    const auto weight = static_cast<double>(weights.view()(j, column % inputs));
                    return gamma<TestType>(10) * std::abs(weight);
                  }) == 0);
        Operand<TestType> scaled = dense;
        Operand<double> wanted_scaled = in_double(dense);
        backend->scale_jacobian_rows(phi, h, inputs, scaled, with);
        reference().scale_jacobian_rows(phi, in_double(h), inputs, wanted_scaled, with);
        CHECK(outside<TestType>(scaled.view(), wanted_scaled.view(),
                                [&](std::size_t j, std::size_t column) {
                                  return gamma<TestType>(10) *
                                         std::abs(static_cast<double>(dense.view()(j, column)));
                                }) == 0);
        CHECK(first.padding_is_untouched());
        CHECK(scaled.padding_is_untouched());
      }
      for (const bool absolute : {false, true}) {
        Operand<TestType> sums = weights;
        Operand<double> wanted_sums = in_double(weights);
        backend->accumulate_jacobian(dense, TestType{0.5}, absolute, sums, with);
        reference().accumulate_jacobian(in_double(dense), 0.5, absolute, wanted_sums, with);
        CHECK(outside<TestType>(sums.view(), wanted_sums.view(), [&](std::size_t j, std::size_t i) {
                double magnitude = std::abs(static_cast<double>(weights.view()(j, i)));
                for (std::size_t s = 0; s < kSamples; ++s) {
                  magnitude += 0.5 * std::abs(static_cast<double>(dense.view()(j, s * inputs + i)));
                }
                return gamma<TestType>(kSamples + 2) * magnitude;
              }) == 0);
        CHECK(sums.padding_is_untouched());
      }
    }
  }
}

TEMPLATE_TEST_CASE("rows and jacobians: one and two threads give the same bits",
                   "[kernels][jacobian]", float, double) {
  using T = TestType;
  Workspace workspace;
  constexpr std::size_t kSamples = 37;
  constexpr std::size_t kUnits = 41;
  constexpr std::size_t kInputs = 33;
  constexpr std::size_t kRows = 1201;
  const auto z = random_operand<T>(kSamples, kUnits, 1);
  const auto weights = random_operand<T>(kUnits, kInputs, 2);
  const auto dense = random_operand<T>(kUnits, kSamples * kInputs, 3);
  const auto columns = random_operand<T>(kInputs, kUnits, 4);
  const auto sample = random_indices(kRows, kSamples, 5);
  const auto unit = random_indices(kRows, kInputs, 6);
  const auto delta = random_vector<T>(kRows, 7);
  for (const auto& backend : all_backends<T>()) {
    const auto run = [&](int threads) {
      const Execution with{threads, workspace};
      std::vector<Operand<T>> results;
      backend->rank_one_rows(z, columns, {sample, unit, delta}, true,
                             results.emplace_back(kRows, kUnits), with);
      backend->transpose(dense, results.emplace_back(kSamples * kInputs, kUnits), with);
      for (const Activation phi : kActivations) {
        backend->first_jacobian(phi, z, weights, results.emplace_back(kUnits, kSamples * kInputs),
                                with);
        results.push_back(dense);
        backend->scale_jacobian_rows(phi, z, kInputs, results.back(), with);
      }
      results.push_back(weights);
      backend->accumulate_jacobian(dense, T{0.5}, true, results.back(), with);
      return results;
    };
    const auto one = run(1);
    const auto two = run(2);
    INFO(backend->name() << " " << backend->target());
    for (std::size_t i = 0; i < one.size(); ++i) {
      CHECK(testing::same_bits<T>(one[i], two[i]));
    }
  }
}

TEMPLATE_TEST_CASE("rows and jacobians: misfits are contract violations", "[kernels][jacobian]",
                   float, double) {
  using T = TestType;
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<T>()) {
    const Operand<T> z(2, 4);
    const Operand<T> columns(3, 4);
    Operand<T> out(1, 4);
    const std::vector<T> delta(1);
    const auto rows = [&](std::uint32_t sample, std::uint32_t unit, const Operand<T>& of) {
      const std::vector<std::uint32_t> samples = {sample};
      const std::vector<std::uint32_t> units = {unit};
      backend->rank_one_rows(z, of, {samples, units, delta}, false, out, with);
    };
    CHECK_NOTHROW(rows(1, 2, columns));
    CHECK_THROWS_AS(rows(2, 2, columns), ContractViolation);
    CHECK_THROWS_AS(rows(1, 3, columns), ContractViolation);
    CHECK_THROWS_AS(rows(0, 0, Operand<T>(3, 5)), ContractViolation);
    CHECK_THROWS_AS(backend->transpose(z, out, with), ContractViolation);
    Operand<T> jacobian(4, 7);
    CHECK_THROWS_AS(backend->scale_jacobian_rows(Activation::kTanh, z, 3, jacobian, with),
                    ContractViolation);
    CHECK_THROWS_AS(backend->first_jacobian(Activation::kTanh, z, Operand<T>(4, 3), jacobian, with),
                    ContractViolation);
    Operand<T> sums(4, 3);
    CHECK_THROWS_AS(backend->accumulate_jacobian(jacobian, T{1}, false, sums, with),
                    ContractViolation);
  }
}

}  // namespace
}  // namespace interpscale::kernels
