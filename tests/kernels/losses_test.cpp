// Losses: cross-entropy against labels and against distributions, squared error.
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
using testing::reference;

constexpr std::array<std::size_t, 9> kWidths = {1, 7, 8, 15, 16, 17, 65, 129, 300};
constexpr std::array<std::size_t, 10> kClasses = {1, 2, 3, 5, 8, 10, 17, 65, 100, 1200};

TEMPLATE_TEST_CASE("cross-entropy: losses and gradients equal the reference", "[kernels][losses]",
                   float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr std::size_t kRows = 83;
  constexpr double kScale = 0.25;
  for (const auto& backend : all_backends<TestType>()) {
    for (const std::size_t classes : kClasses) {
      const auto logits = random_operand<TestType>(kRows, classes, 1);
      const auto labels = random_indices(kRows, classes, 2);
      std::vector<double> wanted(kRows);
      Operand<double> wanted_gradient(kRows, classes);
      reference().cross_entropy_gradient(in_double(logits), labels, kScale, wanted, wanted_gradient,
                                         with);
      std::vector<TestType> alone(kRows);
      std::vector<TestType> got(kRows);
      Operand<TestType> gradient(kRows, classes);
      backend->cross_entropy(logits, labels, alone, with);
      backend->cross_entropy_gradient(logits, labels, static_cast<TestType>(kScale), got, gradient,
                                      with);
      // Logits are below 5 in magnitude, their differences below 10: rounding a difference moves
      // its exponential by 10 u; exp adds 2 roundings, the sum C, log 8 of its value (below
      // 10 + log C) and the last subtractions 2 of theirs.
      const std::size_t in_sum = 10 + 2 + classes;
      const double largest = 10.0 + std::log(static_cast<double>(classes));
      const auto bound = [&](std::size_t) {
        return gamma<TestType>(in_sum) + gamma<TestType>(10) * largest;
      };
      INFO(backend->name() << " " << backend->target() << " classes " << classes);
      CHECK(outside(got, wanted, bound) == 0);
      CHECK(outside(alone, wanted, bound) == 0);
      // A probability is an exponential over their sum: 12 + in_sum roundings and 3 more, of at
      // most 1; the subtraction of the target one more.
      CHECK(
          outside<TestType>(gradient.view(), wanted_gradient.view(), [&](std::size_t, std::size_t) {
            return kScale * gamma<TestType>(12 + in_sum + 4);
          }) == 0);
      CHECK(gradient.padding_is_untouched());
    }
  }
}

TEMPLATE_TEST_CASE("cross-entropy: a sample's bits do not depend on its place in the batch",
                   "[kernels][losses]", float, double) {
  using T = TestType;
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr std::size_t kRows = 70;  // more than a block of samples on any instruction set
  for (const auto& backend : all_backends<T>()) {
    for (const std::size_t classes : kClasses) {
      const auto logits = random_operand<T>(kRows, classes, 1);
      const auto labels = random_indices(kRows, classes, 2);
      const std::span<const std::uint32_t> all_labels = labels;
      std::vector<T> wanted(kRows);
      Operand<T> wanted_gradient(kRows, classes);
      backend->cross_entropy_gradient(logits, labels, T{0.25}, wanted, wanted_gradient, with);
      for (std::size_t rows = 1; rows <= 40; ++rows) {
        const std::size_t first = kRows - rows - rows / 2;
        const auto some = logits.view().rows_from(first, rows);
        const auto some_labels = all_labels.subspan(first, rows);
        const std::vector<T> expected(&wanted[first], &wanted[first] + rows);
        std::vector<T> alone(rows);
        std::vector<T> got(rows);
        Operand<T> gradient(rows, classes);
        backend->cross_entropy(some, some_labels, alone, with);
        backend->cross_entropy_gradient(some, some_labels, T{0.25}, got, gradient, with);
        INFO(backend->name() << " " << backend->target() << " classes " << classes << " rows "
                             << rows);
        CHECK(alone == expected);
        CHECK(got == expected);
        CHECK(
            testing::same_bits<T>(gradient.view(), wanted_gradient.view().rows_from(first, rows)));
        CHECK(gradient.padding_is_untouched());
      }
    }
  }
}

TEMPLATE_TEST_CASE("cross-entropy: logits far apart neither overflow nor vanish",
                   "[kernels][losses]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<TestType>()) {
    Operand<TestType> logits(2, 3);
    logits.view()(0, 0) = TestType{1000};
    logits.view()(1, 1) = TestType{-1000};
    const std::vector<std::uint32_t> labels = {1, 1};
    std::vector<TestType> losses(2);
    Operand<TestType> gradient(2, 3);
    backend->cross_entropy_gradient(logits, labels, TestType{1}, losses, gradient, with);
    INFO(backend->name() << " " << backend->target());
    CHECK(losses[0] == TestType{1000});
    CHECK(static_cast<double>(losses[1]) == Approx(1000.0 + std::log(2.0)));
    CHECK(gradient.view()(0, 0) == TestType{1});
    CHECK(gradient.view()(0, 1) == TestType{-1});
  }
}

TEMPLATE_TEST_CASE("cross-entropy: a sample that is not a number shows, its neighbours do not mind",
                   "[kernels][losses]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<TestType>()) {
    Operand<TestType> logits(3, 10);
    for (TestType& logit : logits.view().row(1)) {
      logit = std::numeric_limits<TestType>::quiet_NaN();
    }
    const std::vector<std::uint32_t> labels = {0, 5, 9};
    std::vector<TestType> losses(3);
    Operand<TestType> gradient(3, 10);
    backend->cross_entropy_gradient(logits, labels, TestType{1}, losses, gradient, with);
    INFO(backend->name() << " " << backend->target());
    CHECK(static_cast<double>(losses[0]) == Approx(std::log(10.0)));
    CHECK(std::isnan(losses[1]));
    CHECK(std::isnan(gradient.view()(1, 0)));
    CHECK(static_cast<double>(losses[2]) == Approx(std::log(10.0)));
  }
}

/// Rows that sum to 1, as nearly as T can tell.
template <class T>
Operand<T> random_targets(std::size_t rows, std::size_t classes, std::uint64_t stream) {
  Operand<T> targets = random_operand<T>(rows, classes, stream);
  for (std::size_t b = 0; b < rows; ++b) {
    double sum = 0.0;
    for (const T value : targets.view().row(b)) {
      sum += std::exp(static_cast<double>(value));
    }
    for (T& value : targets.view().row(b)) {
      value = static_cast<T>(std::exp(static_cast<double>(value)) / sum);
    }
  }
  return targets;
}

TEMPLATE_TEST_CASE("soft cross-entropy: losses and magnitudes equal the reference",
                   "[kernels][losses]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr std::size_t kRows = 83;
  for (const auto& backend : all_backends<TestType>()) {
    for (const std::size_t classes : kClasses) {
      const auto logits = random_operand<TestType>(kRows, classes, 1);
      const auto targets = random_targets<TestType>(kRows, classes, 2);
      std::vector<double> wanted(kRows);
      std::vector<double> wanted_magnitudes(kRows);
      reference().soft_cross_entropy(in_double(logits), in_double(targets), wanted,
                                     wanted_magnitudes, with);
      std::vector<TestType> got(kRows);
      std::vector<TestType> magnitudes(kRows);
      backend->soft_cross_entropy(logits, targets, got, magnitudes, with);
      // As the cross-entropy's; the weighted sum adds a difference (below 10), a product and C sums
      // of a total weight of at most 2, and is rounded once more with the logarithm.
      const double largest = 10.0 + std::log(static_cast<double>(classes));
      const auto bound = [&](std::size_t) {
        return gamma<TestType>(10 + 2 + classes) + gamma<TestType>(10) * largest +
               gamma<TestType>(classes + 3) * 2.0 * 10.0;
      };
      INFO(backend->name() << " " << backend->target() << " classes " << classes);
      CHECK(outside(got, wanted, bound) == 0);
      CHECK(outside(magnitudes, wanted_magnitudes, [](std::size_t) { return 0.0; }) == 0);
    }
  }
}

TEMPLATE_TEST_CASE("soft cross-entropy: a sample's bits do not depend on its place in the batch",
                   "[kernels][losses]", float, double) {
  using T = TestType;
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr std::size_t kRows = 70;  // more than a block of samples on any instruction set
  for (const auto& backend : all_backends<T>()) {
    for (const std::size_t classes : kClasses) {
      const auto logits = random_operand<T>(kRows, classes, 1);
      const auto targets = random_targets<T>(kRows, classes, 2);
      std::vector<T> wanted(kRows);
      std::vector<T> magnitudes(kRows);
      backend->soft_cross_entropy(logits, targets, wanted, magnitudes, with);
      for (std::size_t rows = 1; rows <= 40; ++rows) {
        const std::size_t first = kRows - rows - rows / 2;
        std::vector<T> got(rows);
        std::vector<T> some(rows);
        backend->soft_cross_entropy(logits.view().rows_from(first, rows),
                                    targets.view().rows_from(first, rows), got, some, with);
        INFO(backend->name() << " " << backend->target() << " classes " << classes << " rows "
                             << rows);
        CHECK(got == std::vector<T>(&wanted[first], &wanted[first] + rows));
        CHECK(some == std::vector<T>(&magnitudes[first], &magnitudes[first] + rows));
      }
    }
  }
}

TEMPLATE_TEST_CASE("squared error: losses and gradients equal the reference", "[kernels][losses]",
                   float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr std::size_t kRows = 9;
  for (const auto& backend : all_backends<TestType>()) {
    for (const std::size_t outputs : kWidths) {
      const auto p = random_operand<TestType>(kRows, outputs, 1);
      const auto t = random_operand<TestType>(kRows, outputs, 2);
      std::vector<double> wanted(kRows);
      Operand<double> wanted_gradient(kRows, outputs);
      std::vector<TestType> got(kRows);
      Operand<TestType> gradient(kRows, outputs);
      reference().squared_error_gradient(in_double(p), in_double(t), 0.5, wanted, wanted_gradient,
                                         with);
      backend->squared_error_gradient(p, t, TestType{0.5}, got, gradient, with);
      INFO(backend->name() << " " << backend->target() << " outputs " << outputs);
      // All terms are positive: a difference and its square (3), C sums, one division.
      CHECK(outside(got, wanted,
                    [&](std::size_t b) { return gamma<TestType>(outputs + 4) * wanted[b]; }) == 0);
      CHECK(outside<TestType>(gradient.view(), wanted_gradient.view(),
                              [&](std::size_t i, std::size_t j) {
                                return gamma<TestType>(4) * std::abs(wanted_gradient.view()(i, j));
                              }) == 0);
      CHECK(gradient.padding_is_untouched());
    }
  }
}

}  // namespace
}  // namespace interpscale::kernels
