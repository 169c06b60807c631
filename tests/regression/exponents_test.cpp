// SPDX-License-Identifier: Apache-2.0
#include "regression/exponents.hpp"

#include <fmt/format.h>

#include <cmath>

#include "support/catch.hpp"

namespace interpscale::regression {
namespace {

/// Cells of widths 64 ... 512 whose candidate takes `factor(N)` times as long.
template <class Factor>
std::vector<SizedRatio> cells_of(const Factor& factor) {
  std::vector<SizedRatio> cells;
  for (const int width : {64, 128, 256, 512}) {
    const double parameters = 784.0 * width;
    cells.push_back({fmt::format("method/zero_ablation/fast/d:784/w:{}/L:1/C:10/B:128/t:1/"
                                 "backend:simd",
                                 width),
                     parameters,
                     1e-9 * std::pow(parameters, 1.2),
                     {std::log(factor(parameters)), 0.002, 11}});
  }
  return cells;
}

TEST_CASE("exponents: the family is what the name says besides the width", "[regression]") {
  CHECK(family_of("method/zero_ablation/fast/d:784/w:64/L:2/C:10/B:128/t:1/backend:simd") ==
        "method/zero_ablation/fast d:784 L:2 B:128");
  CHECK(family_of("pass/forward/d:16/w:8x16/L:2/C:3/B:1/t:2/backend:eigen") ==
        "pass/forward d:16 L:2 C:3 B:1 t:2 backend:eigen");
}

TEST_CASE("exponents: exact laws give the difference of their exponents", "[regression]") {
  const auto exponents =
      compare_exponents(cells_of([](double n) { return 0.01 * std::pow(n, 0.5); }));
  REQUIRE(exponents.size() == 1);
  CHECK(exponents[0].sizes == 4);
  CHECK(exponents[0].base == Approx(1.2));
  CHECK(exponents[0].candidate == Approx(1.7));
  CHECK(exponents[0].verdict == Verdict::kRegressed);
  CHECK(exponents[0].difference.contains(0.5));
  CHECK_FALSE(exponents[0].alone.contains(0));
}

TEST_CASE("exponents: the same factor at every size is no changed exponent", "[regression]") {
  const auto exponents = compare_exponents(cells_of([](double) { return 3.0; }));
  REQUIRE(exponents.size() == 1);
  CHECK(exponents[0].verdict == Verdict::kUnchanged);
  CHECK(exponents[0].difference.contains(0));
  CHECK(exponents[0].alone.contains(0));
}

TEST_CASE("exponents: slow at large widths only is a changed exponent", "[regression]") {
  const auto exponents =
      compare_exponents(cells_of([](double n) { return n > 784 * 200 ? 8.0 : 1.0; }));
  REQUIRE(exponents.size() == 1);
  CHECK(exponents[0].verdict == Verdict::kRegressed);
}

TEST_CASE("exponents: fewer than three sizes make no family", "[regression]") {
  auto cells = cells_of([](double) { return 1.0; });
  cells.resize(2);
  CHECK(compare_exponents(cells).empty());
}

}  // namespace
}  // namespace interpscale::regression
