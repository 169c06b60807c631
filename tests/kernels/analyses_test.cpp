// The operations that analyses need beside those of passes: quotients, choices, counts, gathering.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
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
using testing::same_bits;
using testing::with_ties;

constexpr std::array kActivations = {Activation::kRelu, Activation::kSoftplus, Activation::kTanh};

struct Extents {
  std::size_t rows;
  std::size_t cols;
};
constexpr std::array kExtents = {Extents{1, 1},  Extents{3, 7},   Extents{5, 15}, Extents{4, 16},
                                 Extents{7, 65}, Extents{9, 129}, Extents{4, 0},  Extents{0, 5}};
// Above the size from which threads share the work.
constexpr Extents kShared{300, 259};

constexpr std::array<std::size_t, 5> kUnitCounts = {1, 7, 16, 17, 130};

template <class T>
double at(const Operand<T>& a, std::size_t i, std::size_t j) {
  return static_cast<double>(a.view()(a.view().rows() == 1 ? 0 : i, j));
}

TEMPLATE_TEST_CASE("multiply_change, multiply_by_ratio, scale_columns: equal the reference",
                   "[kernels][analyses]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<TestType>()) {
    for (const Extents extents : kExtents) {
      INFO(backend->name() << " " << backend->target() << " " << extents.rows << " x "
                           << extents.cols);
      const std::size_t rows = extents.rows;
      const std::size_t cols = extents.cols;
      const auto a = random_operand<TestType>(rows, cols, 1);
      const auto g = random_operand<TestType>(rows, cols, 2);
      Operand<TestType> got(rows, cols);
      Operand<double> wanted(rows, cols);
      for (const std::size_t rows_now : {rows, std::size_t{1}}) {
        const auto now = random_operand<TestType>(rows_now, cols, 3);
        const auto factors = random_operand<TestType>(rows_now, cols, 2);
        backend->multiply_change(a, now, factors, got, with);
        reference().multiply_change(in_double(a), in_double(now), in_double(factors), wanted, with);
        CHECK(outside<TestType>(got.view(), wanted.view(), [&](std::size_t i, std::size_t j) {
                return gamma<TestType>(2) * std::abs(wanted.view()(i, j));
              }) == 0);
      }
      backend->multiply_change(a, g, {}, got, with);
      reference().multiply_change(in_double(a), in_double(g), {}, wanted, with);
      CHECK(outside<TestType>(got.view(), wanted.view(), [&](std::size_t i, std::size_t j) {
              return gamma<TestType>(1) * std::abs(wanted.view()(i, j));
            }) == 0);
      got = g;
      wanted = in_double(g);
      constexpr double kEpsilon = 0.125;
      backend->multiply_by_ratio({a, a, static_cast<TestType>(kEpsilon)}, got, with);
      const Operand<double> exact = in_double(a);
      reference().multiply_by_ratio({exact, exact, kEpsilon}, wanted, with);
      CHECK(outside<TestType>(got.view(), wanted.view(), [&](std::size_t i, std::size_t j) {
              return gamma<TestType>(3) * std::abs(wanted.view()(i, j));
            }) == 0);
      CHECK(got.padding_is_untouched());
      const auto factors = random_vector<TestType>(cols, 4);
      got = a;
      backend->scale_columns(factors, got, got, with);
      reference().scale_columns(in_double(factors), in_double(a), wanted, with);
      CHECK(outside<TestType>(got.view(), wanted.view(), [&](std::size_t i, std::size_t j) {
              return gamma<TestType>(1) * std::abs(wanted.view()(i, j));
            }) == 0);
    }
  }
}

TEMPLATE_TEST_CASE("multiply_by_secants: equals the reference, far from and near to the start",
                   "[kernels][analyses]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr double kSmallest = 0.25;
  for (const auto& backend : all_backends<TestType>()) {
    for (const Extents extents : kExtents) {
      for (const Activation phi : kActivations) {
        INFO(backend->name() << " " << backend->target() << " " << name_of(phi));
        const std::size_t cols = extents.cols;
        const auto z = random_operand<TestType>(extents.rows, cols, 1);
        const auto from_z = random_operand<TestType>(1, cols, 2);
        const auto h = random_operand<TestType>(extents.rows, cols, 3);
        const auto from_h = random_operand<TestType>(1, cols, 4);
        auto got = random_operand<TestType>(extents.rows, cols, 5);
        const Operand<double> g = in_double(got);
        Operand<double> wanted = g;
        backend->multiply_by_secants(phi, {z, h, from_z, from_h, static_cast<TestType>(kSmallest)},
                                     got, with);
        reference().multiply_by_secants(
            phi, {in_double(z), in_double(h), in_double(from_z), in_double(from_h), kSmallest},
            wanted, with);
        // A quotient has four roundings. A slope is at most 1; halfway between numbers below 5 the
        // point is off by 2 u of 5, phi (slope at most 1) adds 9 roundings of at most 6, its own
        // slope 10 of 1.
        CHECK(outside<TestType>(got.view(), wanted.view(), [&](std::size_t i, std::size_t j) {
                const double of_slope = 10.0 + 9.0 * 6.0 + 10.0;
                return gamma<TestType>(4) * std::abs(wanted.view()(i, j)) +
                       gamma<TestType>(1) * of_slope * std::abs(at(g, i, j));
              }) == 0);
        CHECK(got.padding_is_untouched());
      }
    }
  }
}

TEMPLATE_TEST_CASE("copy, gather_rows, pick, one_hot: to the bit", "[kernels][analyses]", float,
                   double) {
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<TestType>()) {
    INFO(backend->name() << " " << backend->target());
    const auto a = random_operand<TestType>(7, 19, 1);
    Operand<TestType> got(7, 19);
    backend->copy(a, got, with);
    CHECK(same_bits<TestType>(got, a));
    CHECK(got.padding_is_untouched());
    const std::vector<std::uint32_t> index = {3, 0, 3, 6};
    Operand<TestType> gathered(4, 19);
    backend->gather_rows(a, index, gathered, with);
    const std::vector<std::uint32_t> column = {0, 18, 3, 4, 4, 17, 1};
    std::vector<TestType> picked(7);
    backend->pick(a, column, picked, with);
    for (std::size_t r = 0; r < index.size(); ++r) {
      CHECK(std::ranges::equal(gathered.view().row(r), a.view().row(index[r])));
    }
    for (std::size_t r = 0; r < column.size(); ++r) {
      CHECK(picked[r] == a.view()(r, column[r]));
    }
    Operand<TestType> rows(4, 7);
    std::vector<TestType> on(7, TestType{2});
    std::vector<TestType> off(7, TestType{-1});
    on[6] = TestType{5};
    off[1] = TestType{0};
    backend->one_hot(index, on, off, rows, with);
    for (std::size_t r = 0; r < index.size(); ++r) {
      for (std::size_t c = 0; c < 7; ++c) {
        CHECK(rows.view()(r, c) == (c == index[r] ? on[c] : off[c]));
      }
    }
    CHECK(rows.padding_is_untouched());
  }
}

TEMPLATE_TEST_CASE("count_positive and mutual_information: counts are exact, information is right",
                   "[kernels][analyses]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr std::size_t kSamples = 83;
  constexpr std::size_t kClasses = 5;
  for (const auto& backend : all_backends<TestType>()) {
    for (const std::size_t units : kUnitCounts) {
      INFO(backend->name() << " " << backend->target() << " " << units << " units");
      auto h = with_ties<TestType>(kSamples, units, 1);
      const auto labels = random_indices(kSamples, kClasses - 1, 2);  // one class has no sample
      for (std::size_t b = 0; b < kSamples; ++b) {
        h.view()(b, 0) = TestType{1};  // a unit that is always active tells nothing
      }
      Operand<TestType> counts(kClasses, units);
      Operand<double> wanted(kClasses, units);
      for (const bool accumulate : {false, true}) {
        backend->count_positive(h, labels, accumulate, counts, with);
        reference().count_positive(in_double(h), labels, accumulate, wanted, with);
      }
      CHECK(same_bits<double>(in_double(counts), wanted));
      CHECK(counts.padding_is_untouched());
      std::vector<double> samples(kClasses, 0.0);
      for (const std::uint32_t label : labels) {
        samples[label] += 2.0;
      }
      std::vector<TestType> got(units);
      std::vector<double> exact(units);
      backend->mutual_information(counts, std::vector<TestType>(samples.begin(), samples.end()),
                                  got, with);
      reference().mutual_information(wanted, samples, exact, with);
      // Each of 2 C terms is a share times a logarithm, of at most log 166 < 6, whose argument is
      // off by 3 roundings; the shares sum to 1.
      CHECK(outside(got, exact, [&](std::size_t) {
              return gamma<TestType>(3) + gamma<TestType>(2 * kClasses + 6) * 6.0;
            }) == 0);
      CHECK(std::abs(static_cast<double>(got[0])) <= gamma<TestType>(4));
    }
  }
}

TEMPLATE_TEST_CASE("operations of analyses: one and two threads give the same bits",
                   "[kernels][analyses]", float, double) {
  Workspace workspace;
  const std::size_t rows = kShared.rows;
  const std::size_t cols = kShared.cols;
  const auto a = random_operand<TestType>(rows, cols, 1);
  const auto b = random_operand<TestType>(rows, cols, 2);
  const auto row = random_operand<TestType>(1, cols, 3);
  const auto factors = random_vector<TestType>(cols, 4);
  const auto labels = random_indices(rows, 10, 5);
  for (const auto& backend : all_backends<TestType>()) {
    const auto run = [&](int threads) {
      const Execution with{threads, workspace};
      std::vector<Operand<TestType>> results(5, Operand<TestType>(rows, cols));
      backend->multiply_change(a, row, b, results[0], with);
      results[1] = b;
      backend->multiply_by_ratio({a, b, TestType{1}}, results[1], with);
      results[2] = b;
      backend->multiply_by_secants(Activation::kTanh, {a, b, row, row, TestType{1}}, results[2],
                                   with);
      backend->keep_largest(8, a, results[3], results[4], with);
      backend->scale_columns(factors, a, results.emplace_back(rows, cols), with);
      backend->copy(a, results.emplace_back(rows, cols), with);
      backend->gather_rows(a, labels, results.emplace_back(rows, cols), with);
      backend->unit_rows(1, 1, results.emplace_back(rows, cols), with);
      Operand<TestType> numbers(10, cols);
      backend->count_positive(a, labels, false, results.emplace_back(10, cols), with);
      backend->update_largest(a, 0, results.emplace_back(10, cols), numbers, with);
      results.push_back(numbers);
      return results;
    };
    const auto one = run(1);
    const auto two = run(2);
    INFO(backend->name() << " " << backend->target());
    for (std::size_t i = 0; i < one.size(); ++i) {
      CHECK(same_bits<TestType>(one[i], two[i]));
    }
  }
}

TEMPLATE_TEST_CASE("operations of analyses: what does not fit is a contract violation",
                   "[kernels][analyses]", float, double) {
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<TestType>()) {
    const Operand<TestType> a(3, 4);
    const Operand<TestType> two(2, 4);
    Operand<TestType> out(3, 4);
    Operand<TestType> wide(3, 5);
    const std::vector<std::uint32_t> outside_rows = {0, 3, 1};
    const std::vector<std::uint32_t> outside_columns = {0, 4, 1};
    std::vector<TestType> three(3);
    CHECK_THROWS_AS(backend->multiply_change(a, two, a, out, with), ContractViolation);
    CHECK_THROWS_AS(backend->multiply_by_ratio({a, a, TestType{0}}, wide, with), ContractViolation);
    CHECK_THROWS_AS(
        backend->multiply_by_secants(Activation::kRelu, {a, a, two, two, TestType{0}}, out, with),
        ContractViolation);
    CHECK_THROWS_AS(backend->scale_columns(three, a, out, with), ContractViolation);
    CHECK_THROWS_AS(backend->copy(a, wide, with), ContractViolation);
    CHECK_THROWS_AS(backend->gather_rows(a, outside_rows, out, with), ContractViolation);
    CHECK_THROWS_AS(backend->pick(a, outside_columns, three, with), ContractViolation);
    CHECK_THROWS_AS(backend->one_hot(outside_columns, three, three, out, with), ContractViolation);
    CHECK_THROWS_AS(backend->count_positive(a, outside_rows, false, out, with), ContractViolation);
    CHECK_THROWS_AS(backend->mutual_information(a, three, three, with), ContractViolation);
    CHECK_THROWS_AS(backend->update_largest(a, 0, out, wide, with), ContractViolation);
    CHECK_THROWS_AS(backend->keep_largest(5, a, out, out, with), ContractViolation);
    CHECK_THROWS_AS(backend->invert_factor(a, out, with), ContractViolation);
    Matrix<double> sums(1, 1);
    CHECK_THROWS_AS(backend->add_changes(three, three, {outside_rows, outside_rows}, sums, with),
                    ContractViolation);
  }
}

}  // namespace
}  // namespace interpscale::kernels
