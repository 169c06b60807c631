// Choices, lists and small factors: what analyses do beside arithmetic on whole matrices.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <numeric>
#include <span>

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
using testing::same_bits;
using testing::with_ties;

constexpr std::array<std::size_t, 4> kColumnCounts = {1, 7, 16, 33};
constexpr std::array<std::size_t, 3> kListLengths = {1, 4, 40};
constexpr std::array<std::size_t, 4> kRowCounts = {1, 5, 16, 35};
constexpr std::array<std::size_t, 4> kChoiceColumns = {1, 9, 64, 131};

TEMPLATE_TEST_CASE("update_largest: the largest of every column, ties by number, over blocks",
                   "[kernels][analyses]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<TestType>()) {
    for (const std::size_t cols : kColumnCounts) {
      for (const std::size_t kept : kListLengths) {
        INFO(backend->name() << " " << backend->target() << " " << cols << " k " << kept);
        const std::size_t rows = 50;
        const auto a = with_ties<TestType>(rows, cols, 1);
        Operand<TestType> values(kept, cols);
        Operand<TestType> numbers(kept, cols);
        for (const auto& [first, count] : {std::pair{0, 3}, std::pair{3, 30}, std::pair{33, 17}}) {
          backend->update_largest(
              a.view().rows_from(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
              static_cast<std::size_t>(first), values, numbers, with);
        }
        CHECK(values.padding_is_untouched());
        for (std::size_t j = 0; j < cols; ++j) {
          std::vector<std::size_t> order(rows);
          std::iota(order.begin(), order.end(), std::size_t{0});
          std::stable_sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) {
            return a.view()(x, j) > a.view()(y, j);
          });
          std::size_t wrong = 0;
          for (std::size_t r = 0; r < kept; ++r) {
            wrong += numbers.view()(r, j) == static_cast<TestType>(order[r]) &&
                             values.view()(r, j) == a.view()(order[r], j)
                         ? 0U
                         : 1U;
          }
          CHECK(wrong == 0);
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("keep_largest: k of every row, ties by column", "[kernels][analyses]", float,
                   double) {
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<TestType>()) {
    for (const std::size_t rows : kRowCounts) {
      for (const std::size_t cols : kChoiceColumns) {
        for (const std::size_t wanted_k : {std::size_t{1}, std::size_t{8}, cols}) {
          const std::size_t k = std::min(wanted_k, cols);
          INFO(backend->name() << " " << backend->target() << " " << rows << " x " << cols << " k "
                               << k);
          const auto a = with_ties<TestType>(rows, cols, 1);
          Operand<TestType> kept(rows, cols);
          Operand<TestType> chosen(rows, cols);
          Operand<double> kept_exactly(rows, cols);
          Operand<double> chosen_exactly(rows, cols);
          backend->keep_largest(k, a, kept, chosen, with);
          reference().keep_largest(k, in_double(a), kept_exactly, chosen_exactly, with);
          CHECK(same_bits<double>(in_double(kept), kept_exactly));
          CHECK(same_bits<double>(in_double(chosen), chosen_exactly));
          CHECK(kept.padding_is_untouched());
          CHECK(chosen.padding_is_untouched());
          Operand<TestType> in_place = a;
          backend->keep_largest(k, in_place, in_place, chosen, with);
          CHECK(same_bits<TestType>(in_place, kept));
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("unit_rows: of unit length, the same numbers in either precision",
                   "[kernels][analyses]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr std::size_t kCols = 21;
  Operand<double> wanted(6, kCols);
  reference().unit_rows(3, 9, wanted, with);
  for (const auto& backend : all_backends<TestType>()) {
    Operand<TestType> got(6, kCols);
    backend->unit_rows(3, 9, got, with);
    CHECK(got.padding_is_untouched());
    CHECK(outside<TestType>(got.view(), wanted.view(), [&](std::size_t i, std::size_t j) {
            return gamma<TestType>(3) * std::abs(wanted.view()(i, j));
          }) == 0);
    for (std::size_t i = 0; i < 6; ++i) {
      double squares = 0.0;
      for (const TestType value : got.view().row(i)) {
        squares += static_cast<double>(value) * static_cast<double>(value);
      }
      CHECK(std::abs(squares - 1.0) <= gamma<TestType>(kCols + 6));
    }
  }
}

TEMPLATE_TEST_CASE("invert_factor: its product with the matrix is the identity",
                   "[kernels][analyses]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<TestType>()) {
    for (const std::size_t n : {std::size_t{1}, std::size_t{5}, std::size_t{16}, kLargestFactor}) {
      INFO(backend->name() << " " << backend->target() << " n " << n);
      Operand<TestType> a(n, n);
      const auto b = random_operand<TestType>(n, n, 1);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
          TestType sum = i == j ? static_cast<TestType>(n) : TestType{0};
          for (std::size_t p = 0; p < n; ++p) {
            sum += b.view()(i, p) * b.view()(j, p);
          }
          a.view()(i, j) = sum;
          a.view()(j, i) = i == j ? sum : TestType{1000};  // is not to be read
        }
      }
      Operand<TestType> inverse(n, n);
      backend->invert_factor(a, inverse, with);
      CHECK(inverse.padding_is_untouched());
      // L^-1 a L^-T = 1. Elements of L^-1 are at most n^-1/2 (no eigenvalue of a is below n), each
      // off by one rounding: n^2 terms |a| / n in all.
      double worst = 0.0;
      double largest = 0.0;
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
          double sum = i == j ? -1.0 : 0.0;
          for (std::size_t p = 0; p <= i; ++p) {
            for (std::size_t q = 0; q <= j; ++q) {
              const double element = static_cast<double>(p >= q ? a.view()(p, q) : a.view()(q, p));
              largest = std::max(largest, std::abs(element));
              sum += static_cast<double>(inverse.view()(i, p)) * element *
                     static_cast<double>(inverse.view()(j, q));
            }
          }
          worst = std::max(worst, std::abs(sum));
          CHECK((j <= i || inverse.view()(i, j) == TestType{0}));
        }
      }
      CHECK(worst <= gamma<TestType>(2) * static_cast<double>(n) * largest + gamma<double>(n * n));
    }
    Operand<TestType> negative(2, 2);
    negative.view()(0, 0) = TestType{1};
    negative.view()(1, 0) = TestType{2};
    negative.view()(1, 1) = TestType{3};
    Operand<TestType> inverse(2, 2);
    CHECK_THROWS_AS(backend->invert_factor(negative, inverse, with), ContractViolation);
  }
}

TEMPLATE_TEST_CASE("list_units: active units in the walk's order", "[kernels][analyses]", float,
                   double) {
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr std::size_t kUnits = 6;
  Matrix<std::uint32_t> orders(2, kUnits);
  for (std::size_t u = 0; u < kUnits; ++u) {
    orders(0, u) = static_cast<std::uint32_t>(u);
    orders(1, u) = static_cast<std::uint32_t>(kUnits - 1 - u);
  }
  const std::vector<std::uint32_t> order = {1, 0, 1};
  const std::vector<std::uint32_t> sample = {0, 2, 2};
  for (const auto& backend : all_backends<TestType>()) {
    const auto h = with_ties<TestType>(3, kUnits, 1);
    for (const bool positive : {true, false}) {
      Matrix<std::uint32_t> unit(kUnits, order.size());
      Operand<TestType> value(kUnits, order.size());
      backend->list_units(h, {orders, order, sample}, positive, unit, value, with);
      for (std::size_t r = 0; r < order.size(); ++r) {
        std::size_t k = 0;
        for (std::size_t step = 0; step < kUnits; ++step) {
          const std::uint32_t u = orders(order[r], step);
          if (positive && !(h.view()(sample[r], u) > TestType{0})) {
            continue;
          }
          CHECK(unit(k, r) == u);
          CHECK(value.view()(k, r) == h.view()(sample[r], u));
          ++k;
        }
      }
      CHECK(value.padding_is_untouched());
    }
  }
}

TEMPLATE_TEST_CASE("list_elements and gather_elements: there and back", "[kernels][analyses]",
                   float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr std::size_t kRows = 4;
  constexpr std::size_t kCols = 9;
  const std::vector<std::uint32_t> tags = {7, 5, 0, 2};
  for (const auto& backend : all_backends<TestType>()) {
    const auto a = with_ties<TestType>(kRows, kCols, 1);
    for (const Listed which : {Listed::kAll, Listed::kPositive, Listed::kNonzero}) {
      std::vector<std::uint32_t> row(kRows * kCols);
      std::vector<std::uint32_t> column(kRows * kCols);
      std::vector<std::uint32_t> tag(kRows * kCols);
      std::vector<TestType> value(kRows * kCols);
      const std::size_t count =
          backend->list_elements(a, which, tags, TestType{-2}, {row, column, tag, value}, with);
      std::size_t expected = 0;
      for (std::size_t i = 0; i < kRows; ++i) {
        for (std::size_t j = 0; j < kCols; ++j) {
          const TestType element = a.view()(i, j);
          if ((which == Listed::kPositive && !(element > TestType{0})) ||
              (which == Listed::kNonzero && element == TestType{0})) {
            continue;
          }
          REQUIRE(expected < count);
          CHECK((row[expected] == i && column[expected] == j && tag[expected] == tags[i]));
          CHECK(value[expected] == TestType{-2} * a.view()(i, j));
          ++expected;
        }
      }
      CHECK(count == expected);
      std::vector<TestType> found(count);
      backend->gather_elements(a, {std::span(row).first(count), std::span(column).first(count)},
                               found, with);
      for (std::size_t r = 0; r < count; ++r) {
        CHECK(TestType{-2} * found[r] == value[r]);
      }
    }
  }
}

TEMPLATE_TEST_CASE("add_changes: differences go to their places, one after the other",
                   "[kernels][analyses]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  const std::vector<TestType> after = {TestType{3}, TestType{5}, TestType{7}};
  const std::vector<TestType> before = {TestType{1}, TestType{1}, TestType{8}};
  const std::vector<std::uint32_t> row = {0, 1, 0};
  const std::vector<std::uint32_t> column = {2, 0, 2};
  for (const auto& backend : all_backends<TestType>()) {
    Matrix<double> sums(2, 3);
    sums(0, 2) = 10.0;
    backend->add_changes(after, before, {row, column}, sums, with);
    CHECK(sums(0, 2) == 11.0);
    CHECK(sums(1, 0) == 4.0);
    CHECK(sums(1, 2) == 0.0);
  }
}

}  // namespace
}  // namespace interpscale::kernels
