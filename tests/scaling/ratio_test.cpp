// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/ratio.hpp"

#include <algorithm>
#include <cmath>

#include "scaling/synthetic.hpp"
#include "support/catch.hpp"

namespace interpscale::scaling {
namespace {

using Catch::Matchers::Contains;
using synthetic::Errors;
using synthetic::geometric_sizes;
using synthetic::study;

const BootstrapOptions kFewResamples{300, 1};
constexpr double kReference = 1e6;
constexpr double kConstantWithin = 0.02;

Result<RatioLaw> ratio_of(const std::vector<double>& sizes, const std::vector<Observation>& above,
                          const std::vector<Observation>& below) {
  return fit_ratio(sizes, above, below, kReference, kConstantWithin, kFewResamples);
}

TEST_CASE("ratio: exact laws give the difference of exponents and the ratio at the reference",
          "[scaling][ratio]") {
  const std::vector<double> sizes = geometric_sizes(6, 1e4, 2);
  const auto law = ratio_of(sizes, study(sizes, [](double x) { return 5e-9 * std::pow(x, 1.5); }),
                            study(sizes, [](double x) { return 1e-9 * x; }));
  REQUIRE(law);
  CHECK(law->exponent == Approx(0.5).epsilon(1e-9));
  CHECK(law->at_reference == Approx(5 * std::sqrt(kReference)).epsilon(1e-9));
  CHECK(law->interval.half_width() < 1e-9);
  CHECK(law->growth == Growth::kGrows);
}

TEST_CASE("ratio: grows, shrinks, constant or undecided, by the interval", "[scaling][ratio]") {
  const std::vector<double> sizes = geometric_sizes(8, 1e4, 2);
  const auto growth = [&](double exponent, double scatter) {
    const auto above = study(
        sizes, [&](double x) { return 3e-9 * std::pow(x, 1 + exponent); },
        Errors{.cell = 0.005, .scatter = scatter}, 1);
    const auto below = study(
        sizes, [](double x) { return 1e-9 * x; }, Errors{.cell = 0.005}, 2);
    return ratio_of(sizes, above, below)->growth;
  };
  CHECK(growth(0.1, 0) == Growth::kGrows);
  CHECK(growth(-0.1, 0) == Growth::kShrinks);
  CHECK(growth(0, 0) == Growth::kConstant);
  CHECK(growth(0, 0.2) == Growth::kUndecided);
  CHECK(name_of(Growth::kUndecided) == "undecided");
}

TEST_CASE("ratio: an interval within the bound is constant, though it excludes 0",
          "[scaling][ratio]") {
  CHECK(growth_of({0.0002, 0.021}, 0.05) == Growth::kConstant);
  CHECK(growth_of({-0.03, -0.01}, 0.05) == Growth::kConstant);
  CHECK(growth_of({-0.05, 0.05}, 0.05) == Growth::kConstant);
  CHECK(growth_of({0.01, 0.06}, 0.05) == Growth::kGrows);
  CHECK(growth_of({-0.06, -0.01}, 0.05) == Growth::kShrinks);
  CHECK(growth_of({-0.01, 0.06}, 0.05) == Growth::kUndecided);
  CHECK(growth_of({0.0002, 0.021}, 0) == Growth::kGrows);
}

TEST_CASE("ratio: proportional counts of one exact round are constant, whatever rounding leaves",
          "[scaling][ratio]") {
  const std::vector<double> sizes = geometric_sizes(8, 1e4, 2);
  const Errors exact{.rounds = 1};
  for (const double factor : {3.0, 0.1, 7.7, 1e3 / 3}) {
    CAPTURE(factor);
    const auto above = study(
        sizes, [&](double x) { return factor * std::pow(x, 1.1); }, exact);
    const auto below = study(
        sizes, [](double x) { return std::pow(x, 1.1); }, exact);
    const auto law = fit_ratio(sizes, above, below, kReference, 0, kFewResamples);
    REQUIRE(law);
    CHECK(law->growth == Growth::kConstant);
  }
}

TEST_CASE("ratio: a round that is slow for both leaves the ratio alone", "[scaling][ratio]") {
  const std::vector<double> sizes = geometric_sizes(8, 1e4, 2);
  std::vector<Observation> above = study(sizes, [](double x) { return 2e-9 * x; });
  std::vector<Observation> below = study(sizes, [](double x) { return 1e-9 * x; });
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    for (std::size_t r = 0; r < above[i].rounds.size(); ++r) {
      // The slowness depends on the cell too: only pairing by cell and round removes it.
      const double slow = 1 + 0.3 * static_cast<double>((r * 7 + i * 3) % 9);
      above[i].rounds[r] *= slow;
      below[i].rounds[r] *= slow;
    }
  }
  const auto law = ratio_of(sizes, above, below);
  REQUIRE(law);
  CHECK(std::abs(law->exponent) < 1e-9);
  CHECK(law->interval.half_width() < 1e-9);
  CHECK(law->at_reference == Approx(2));
}

TEST_CASE("ratio: cells are paired by name, those of one side alone are left out",
          "[scaling][ratio]") {
  const std::vector<double> sizes = geometric_sizes(7, 1e4, 2);
  const auto above = study(sizes, [](double x) { return 4e-9 * x * x; });
  std::vector<Observation> below = study(sizes, [](double x) { return 1e-9 * x; });
  std::reverse(below.begin(), below.end());
  below.pop_back();
  Observation alone = below.front();
  alone.name = "elsewhere";
  alone.rounds.assign(9, 1e3);
  below.push_back(alone);
  const auto law = ratio_of(sizes, above, below);
  REQUIRE(law);
  CHECK(law->exponent == Approx(1).epsilon(1e-9));
}

TEST_CASE("ratio: what cannot be paired is an error", "[scaling][ratio]") {
  const std::vector<double> sizes = geometric_sizes(6, 1e4, 2);
  const auto above = study(sizes, [](double x) { return 1e-9 * x; });
  const auto message = [&](const std::vector<Observation>& below) {
    const auto law = ratio_of(sizes, above, below);
    return law ? std::string() : law.error().message;
  };
  REQUIRE(message(above).empty());
  auto below = above;
  below[1].name = below[0].name;
  CHECK_THAT(message(below), Contains("occurs twice"));
  below = above;
  for (Observation& cell : below) {
    cell.name += " of another study";
  }
  CHECK_THAT(message(below), Contains("no cell name in common"));
  CHECK_THAT(message({above.begin(), above.begin() + 3}), Contains("found 3 distinct sizes"));
  below = study(
      sizes, [](double x) { return 1e-9 * x; }, Errors{.rounds = 5});
  CHECK_THAT(message(below), Contains("found 9 rounds of the numerator and 5 of the denominator"));
}

}  // namespace
}  // namespace interpscale::scaling
