// Column sums and moments, optimizer steps; with the losses, bits on two threads and misfits.
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
