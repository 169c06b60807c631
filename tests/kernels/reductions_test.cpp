// Column sums and moments, losses, optimizer steps.
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

constexpr std::array<std::size_t, 9> kWidths = {1, 7, 8, 15, 16, 17, 65, 129, 300};
constexpr std::array<std::size_t, 10> kClasses = {1, 2, 3, 5, 8, 10, 17, 65, 100, 1200};

template <class T>
struct Moments {
  std::vector<T> mean;
  std::vector<T> variance;
  std::vector<T> positive;
  explicit Moments(std::size_t cols) : mean(cols), variance(cols), positive(cols) {}
  ColumnMoments<T> spans() { return {mean, variance, positive}; }
};

TEMPLATE_TEST_CASE("column sums and moments: equal the reference", "[kernels][reductions]", float,
                   double) {
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<TestType>()) {
    for (const std::size_t cols : kWidths) {
      constexpr std::size_t kRows = 33;
      const auto a = random_operand<TestType>(kRows, cols, 1);
      const Operand<double> a2 = in_double(a);
      const auto magnitude = [&](std::size_t j, auto&& function) {
        double sum = 0.0;
        for (std::size_t i = 0; i < kRows; ++i) {
          sum += function(a2.view()(i, j));
        }
        return sum;
      };
      INFO(backend->name() << " " << backend->target() << " cols " << cols);
      for (const double beta : {0.0, 1.0, 0.5}) {
        auto got = random_vector<TestType>(cols, 2);
        auto wanted = in_double(got);
        const auto before = wanted;
        backend->column_sums(a, static_cast<TestType>(beta), got, with);
        reference().column_sums(a2, beta, wanted, with);
        CHECK(outside(got, wanted, [&](std::size_t j) {
                return gamma<TestType>(kRows + 2) *
                       (magnitude(j, [](double x) { return std::abs(x); }) +
                        beta * std::abs(before[j]));
              }) == 0);
      }
      Moments<TestType> got(cols);
      Moments<double> wanted(cols);
      backend->column_moments(a, got.spans(), with);
      reference().column_moments(a2, wanted.spans(), with);
      const auto mean_bound = [&](std::size_t j) {
        return gamma<TestType>(kRows + 1) * magnitude(j, [](double x) { return std::abs(x); }) /
               kRows;
      };
      CHECK(outside(got.mean, wanted.mean, mean_bound) == 0);
      // A mean off by e adds e^2 to the variance; the squares carry two roundings and their sum.
      CHECK(outside(got.variance, wanted.variance, [&](std::size_t j) {
              return gamma<TestType>(kRows + 4) * wanted.variance[j] +
                     2.0 * mean_bound(j) * mean_bound(j);
            }) == 0);
      CHECK(outside(got.positive, wanted.positive,
                    [&](std::size_t j) { return gamma<TestType>(1) * wanted.positive[j]; }) == 0);
    }
  }
}

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

TEMPLATE_TEST_CASE("optimizer steps: equal the reference", "[kernels][optimizers]", float, double) {
  using T = TestType;
  Workspace workspace;
  const Execution with{1, workspace};
  const SgdStep<T> sgd{T{0.125}, T{0.75}};
  const AdamStep<T> adam{T{0.015625}, T{0.875}, T{0.96875}, T{0.0009765625}, 3};
  const SgdStep<double> sgd2{0.125, 0.75};
  const AdamStep<double> adam2{0.015625, 0.875, 0.96875, 0.0009765625, 3};
  for (const auto& backend : all_backends<T>()) {
    for (const std::size_t count : kWidths) {
      const auto g = random_vector<T>(count, 1);
      auto w = random_vector<T>(count, 2);
      auto v = random_vector<T>(count, 3);
      const auto g2 = in_double(g);
      auto w2 = in_double(w);
      auto v2 = in_double(v);
      const auto w_before = w2;
      const auto v_before = v2;
      INFO(backend->name() << " " << backend->target() << " count " << count);
      backend->sgd_step(sgd, g, v, w, with);
      reference().sgd_step(sgd2, g2, v2, w2, with);
      const auto v_size = [&](std::size_t i) {
        return 0.75 * std::abs(v_before[i]) + std::abs(g2[i]);
      };
      CHECK(outside(v, v2, [&](std::size_t i) { return gamma<T>(2) * v_size(i); }) == 0);
      CHECK(outside(w, w2, [&](std::size_t i) {
              return gamma<T>(4) * (std::abs(w_before[i]) + 0.125 * v_size(i));
            }) == 0);

      auto m = random_vector<T>(count, 4);
      std::vector<T> s(count, T{0.5});
      auto m2 = in_double(m);
      auto s2 = in_double(s);
      w2 = in_double(w);
      const auto m_before = m2;
      const auto w_now = w2;
      backend->adam_step(adam, g, m, s, w, with);
      reference().adam_step(adam2, g2, m2, s2, w2, with);
      const auto m_size = [&](std::size_t i) {
        return 0.875 * std::abs(m_before[i]) + 0.125 * std::abs(g2[i]);
      };
      CHECK(outside(m, m2, [&](std::size_t i) { return gamma<T>(3) * m_size(i); }) == 0);
      CHECK(outside(s, s2, [&](std::size_t i) { return gamma<T>(4) * s2[i]; }) == 0);
      // rate / correction (1), m (3), their product (1), sqrt(s / correction) + eps (at most
      // (4 + 2) / 2 + 2), the division and the subtraction.
      const double rate = 0.015625 / (1.0 - std::pow(0.875, 3));
      const double correction = 1.0 - std::pow(0.96875, 3);
      CHECK(outside(w, w2, [&](std::size_t i) {
              const double size = rate * m_size(i) / std::sqrt(s2[i] / correction);
              return gamma<T>(13) * (std::abs(w_now[i]) + size);
            }) == 0);
    }
  }
}

TEMPLATE_TEST_CASE("reductions, losses and optimizers: one and two threads give the same bits",
                   "[kernels][reductions]", float, double) {
  using T = TestType;
  Workspace workspace;
  constexpr std::size_t kRows = 310;
  constexpr std::size_t kCols = 259;
  constexpr std::size_t kCount = 70'001;
  const auto a = random_operand<T>(kRows, kCols, 1);
  const auto b = random_operand<T>(kRows, kCols, 2);
  const auto labels = random_indices(kRows, kCols, 3);
  const auto g = random_vector<T>(kCount, 4);
  for (const auto& backend : all_backends<T>()) {
    const auto run = [&](int threads) {
      const Execution with{threads, workspace};
      std::vector<std::vector<T>> vectors(5, std::vector<T>(kRows));
      std::vector<T> sums(kCols);
      Moments<T> moments(kCols);
      Operand<T> softmax(kRows, kCols);
      Operand<T> errors(kRows, kCols);
      backend->column_sums(a, T{0}, sums, with);
      backend->column_moments(a, moments.spans(), with);
      backend->cross_entropy(a, labels, vectors[0], with);
      backend->cross_entropy_gradient(a, labels, T{0.5}, vectors[1], softmax, with);
      backend->squared_error_gradient(a, b, T{0.5}, vectors[2], errors, with);
      backend->soft_cross_entropy(a, b, vectors[3], vectors[4], with);
      auto w = random_vector<T>(kCount, 5);
      auto v = random_vector<T>(kCount, 6);
      std::vector<T> m(kCount);
      std::vector<T> s(kCount);
      backend->sgd_step({T{0.125}, T{0.875}}, g, v, w, with);
      backend->adam_step({T{0.125}, T{0.875}, T{0.96875}, T{0.0009765625}, 1}, g, m, s, w, with);
      for (auto& vector : {sums, moments.mean, moments.variance, moments.positive, w, v, m, s}) {
        vectors.push_back(vector);
      }
      for (const auto* matrix : {&softmax, &errors}) {
        for (std::size_t i = 0; i < kRows; ++i) {
          const auto row = matrix->view().row(i);
          vectors.emplace_back(row.begin(), row.end());
        }
      }
      return vectors;
    };
    INFO(backend->name() << " " << backend->target());
    CHECK(run(1) == run(2));
  }
}

TEMPLATE_TEST_CASE("reductions, losses and optimizers: misfits are contract violations",
                   "[kernels][reductions]", float, double) {
  using T = TestType;
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<T>()) {
    const Operand<T> a(3, 4);
    Operand<T> out(3, 4);
    Operand<T> wide(3, 5);
    std::vector<T> three(3);
    std::vector<T> four(4);
    CHECK_THROWS_AS(backend->column_sums(a, T{0}, three, with), ContractViolation);
    Moments<T> moments(4);
    CHECK_THROWS_AS(backend->column_moments(Operand<T>(0, 4), moments.spans(), with),
                    ContractViolation);
    CHECK_THROWS_AS(backend->column_moments(wide, moments.spans(), with), ContractViolation);
    const std::vector<std::uint32_t> labels = {0, 3, 1};
    const std::vector<std::uint32_t> outside_classes = {0, 4, 1};
    CHECK_THROWS_AS(backend->cross_entropy(a, outside_classes, three, with), ContractViolation);
    CHECK_THROWS_AS(backend->cross_entropy(a, labels, four, with), ContractViolation);
    CHECK_THROWS_AS(backend->cross_entropy_gradient(a, labels, T{1}, three, wide, with),
                    ContractViolation);
    std::vector<T> magnitudes(3);
    CHECK_THROWS_AS(backend->soft_cross_entropy(a, wide, three, magnitudes, with),
                    ContractViolation);
    CHECK_THROWS_AS(backend->soft_cross_entropy(a, a, three, four, with), ContractViolation);
    CHECK_THROWS_AS(backend->soft_cross_entropy(a, a, four, magnitudes, with), ContractViolation);
    CHECK_THROWS_AS(backend->squared_error_gradient(a, wide, T{1}, three, out, with),
                    ContractViolation);
    CHECK_THROWS_AS(backend->sgd_step({}, four, three, three, with), ContractViolation);
    AdamStep<T> step{};
    CHECK_THROWS_AS(backend->adam_step(step, three, three, three, three, with), ContractViolation);
    step.step = 1;
    CHECK_THROWS_AS(backend->adam_step(step, three, three, four, three, with), ContractViolation);
  }
}

}  // namespace
}  // namespace interpscale::kernels
