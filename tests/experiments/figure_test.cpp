// Combining figures: against the arithmetic of normal errors, and at the boundaries of the rules.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/experiments/figure.hpp"

#include <cmath>

#include "support/catch.hpp"

namespace interpscale::experiments {
namespace {

/// A line in logs through (1, 0) at N = 1e6 whose arm grows with the distance from there.
PowerFigure line(double exponent, double arm_of_exponent, double at_reference, double arm) {
  PowerFigure law;
  law.exponent = {exponent, {exponent - arm_of_exponent, exponent + arm_of_exponent}};
  for (std::size_t i = 0; i < kStatedSizes.size(); ++i) {
    const double x = std::log(kStatedSizes[i] / 1e6);
    const double value = std::log(at_reference) + exponent * x;
    const double half = std::hypot(arm, arm_of_exponent * x);
    law.at[i] = {std::exp(value), {std::exp(value - half), std::exp(value + half)}};
  }
  law.smallest = 1e4;
  law.largest = 1e7;
  return law;
}

}  // namespace

TEST_CASE("figure: arms of sums and differences join in quadrature, side by side",
          "[experiments][figure]") {
  const Figure a{5, {2, 6}};
  const Figure b{3, {-1, 15}};
  const Figure sum = sum_of(a, b);
  CHECK(sum.value == 8);
  CHECK(sum.interval.low == Approx(8 - 5));
  CHECK(sum.interval.high == Approx(8 + std::sqrt(1 + 144)));
  const Figure difference = difference_of(a, b);
  CHECK(difference.value == 2);
  CHECK(difference.interval.low == Approx(2 - std::sqrt(9 + 144)));
  CHECK(difference.interval.high == Approx(2 + std::sqrt(1 + 16)));
}

TEST_CASE("figure: a quotient by an exact number only scales", "[experiments][figure]") {
  const Figure half = quotient_of(Figure{4, {2, 8}}, Figure{8, {8, 8}});
  CHECK(half.value == Approx(0.5));
  CHECK(half.interval.low == Approx(0.25));
  CHECK(half.interval.high == Approx(1));
  CHECK(product_of(half, {8, {8, 8}}).interval.high == Approx(8));
}

TEST_CASE("figure: a quotient of laws takes the exponents apart and is measured where both are",
          "[experiments][figure]") {
  PowerFigure below = line(1.0, 0.3, 2, 0.1);
  below.smallest = 1e5;
  below.largest = 1e6;
  const PowerFigure law = quotient_of(line(1.5, 0.4, 4, 0.1), below);
  CHECK(law.exponent.value == Approx(0.5));
  CHECK(law.exponent.interval.high == Approx(1.0));
  CHECK(law.at[0].value == Approx(2));
  CHECK(law.at[1].value == Approx(2 * std::pow(1e3, 0.5)));
  CHECK_FALSE(law.extrapolated(1e6));
  CHECK(law.extrapolated(1.1e6));
  CHECK(law.extrapolated(9e4));
}

TEST_CASE("figure: more than three decades are withheld, and what may be zero",
          "[experiments][figure]") {
  CHECK_FALSE(withheld({30, {1, 1000}}));
  CHECK(withheld({30, {1, 1000.1}}));
  CHECK(withheld({30, {0, 1}}));
}

TEST_CASE("figure: a law crosses a level where it does, with the sizes at which it may",
          "[experiments][figure]") {
  // 0.01 (N / 1e6)^0.5 reaches 1 at 1e10.
  const std::optional<Figure> exact = crossing(line(0.5, 1e-9, 0.01, 1e-9), 1);
  REQUIRE(exact);
  CHECK(exact->value == Approx(1e10).epsilon(1e-6));
  CHECK(exact->interval.low == Approx(1e10).epsilon(1e-4));
  const std::optional<Figure> vague = crossing(line(0.5, 0.1, 0.01, 0.2), 1);
  REQUIRE(vague);
  CHECK(vague->value == Approx(1e10).epsilon(1e-6));
  // Fieller: (log .01 + .5 x)^2 = .04 + .01 x^2, x = log(N / 1e6).
  const double r = 0.25 - 0.01;
  const double q = std::log(0.01);
  const double p = std::log(0.01) * std::log(0.01) - 0.04;
  const double root = std::sqrt(q * q - 4 * r * p);
  CHECK(std::log(vague->interval.low / 1e6) == Approx((-q - root) / (2 * r)).epsilon(1e-6));
  CHECK(std::log(vague->interval.high / 1e6) == Approx((-q + root) / (2 * r)).epsilon(1e-6));
  // What may be flat crosses nowhere in particular.
  CHECK_FALSE(crossing(line(0.1, 0.2, 0.01, 0.1), 1));
  // Falling laws cross, too.
  CHECK(crossing(line(-0.5, 1e-9, 100, 1e-9), 1)->value == Approx(1e10).epsilon(1e-6));
}

}  // namespace interpscale::experiments
