// SPDX-License-Identifier: Apache-2.0
#include "interpscale/economics/money_model.hpp"

#include <cmath>
#include <limits>

#include "interpscale/core/require.hpp"
#include "support/catch.hpp"

namespace interpscale::economics {
namespace {

using Catch::Matchers::Contains;

constexpr MonteCarloOptions kOptions{100000, 1};

/// Five standard errors of a quantile of `kOptions.samples` uniform numbers, times the width of
/// their range: sqrt(p (1 - p) / samples) / density.
double tolerance(double probability, double log_width) {
  return 5 * std::sqrt(probability * (1 - probability) / kOptions.samples) * log_width;
}

TEST_CASE("money model: the exchange's figures give 50,000 times", "[economics]") {
  const auto estimate = estimate_money_ratio(MoneyInputs{50, 10, 250e3}, {}, kOptions);
  REQUIRE(estimate);
  CHECK(estimate->understanding_dollars == 2.5e6);
  CHECK(estimate->uncorrected == 50000);
  CHECK(estimate->median == 50000);
  CHECK(estimate->interval.low == 50000);
  CHECK(estimate->interval.high == 50000);
  CHECK(estimate->steps.empty());
}

TEST_CASE("money model: fixed corrections divide the ratio, one below 1 multiplies it",
          "[economics]") {
  const Correction corrections[] = {exactly("data collection", 10), exactly("unfamiliar", 0.5)};
  const auto estimate = estimate_money_ratio({}, corrections, kOptions);
  REQUIRE(estimate);
  CHECK(estimate->median == Approx(10000));
  CHECK(estimate->interval.low == Approx(10000));
  REQUIRE(estimate->steps.size() == 2);
  CHECK(estimate->steps[0].name == "data collection");
  CHECK(estimate->steps[0].median == Approx(5000));
}

TEST_CASE("money model: 'at most k' has the geometric mean as median and log-uniform quantiles",
          "[economics]") {
  const double k = 16;
  const Correction corrections[] = {at_most("researchers' time", k)};
  const auto estimate = estimate_money_ratio({}, corrections, kOptions);
  REQUIRE(estimate);
  const double log_k = std::log(k);
  CHECK(std::abs(std::log(50000 / estimate->median) - log_k / 2) < tolerance(0.5, log_k));
  CHECK(std::abs(std::log(50000 / estimate->interval.low) - 0.975 * log_k) <
        tolerance(0.975, log_k));
  CHECK(std::abs(std::log(50000 / estimate->interval.high) - 0.025 * log_k) <
        tolerance(0.025, log_k));
}

TEST_CASE("money model: corrections are drawn independently of each other", "[economics]") {
  // The log of two equal log-uniform factors is triangular: its 2.5 % point lies at
  // sqrt(2 x 0.025) of one factor's width; were they the same draw it would lie at 0.05.
  const double k = 100;
  const Correction corrections[] = {at_most("first", k), between("second", 1, k)};
  const auto estimate = estimate_money_ratio({}, corrections, kOptions);
  REQUIRE(estimate);
  const double log_k = std::log(k);
  const double at = std::sqrt(2 * 0.025);
  const double density = at;
  CHECK(std::abs(std::log(50000 / estimate->interval.high) / log_k - at) <
        tolerance(0.025, 1) / density);
}

TEST_CASE("money model: the same seed gives the same bits, another seed others", "[economics]") {
  const Correction corrections[] = {at_most("tuning", 2)};
  const auto first = estimate_money_ratio({}, corrections, {5000, 1});
  const auto again = estimate_money_ratio({}, corrections, {5000, 1});
  const auto other = estimate_money_ratio({}, corrections, {5000, 2});
  REQUIRE(first);
  REQUIRE(again);
  REQUIRE(other);
  CHECK(first->median == again->median);
  CHECK(first->median != other->median);
}

TEST_CASE("money model: impossible inputs are errors that name the input", "[economics]") {
  const auto message = [](const MoneyInputs& inputs, const Correction& correction) {
    const auto estimate = estimate_money_ratio(inputs, {&correction, 1}, kOptions);
    return estimate ? std::string() : estimate.error().message;
  };
  const Correction fine = exactly("none", 1);
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  CHECK(message({}, fine).empty());
  CHECK_THAT(message({-50, 10, 250e3}, fine), Contains("training cost") && Contains("-50"));
  CHECK_THAT(message({50, 0, 250e3}, fine), Contains("person-years: found 0"));
  CHECK_THAT(message({50, 10, kNan}, fine), Contains("dollars per person-year"));
  CHECK_THAT(message({}, between("tuning", 3, 2)), Contains("tuning: found a range from 3 to 2"));
  CHECK_THAT(message({}, at_most("tuning", 0.5)), Contains("from 1 to 0.5"));
  CHECK_THAT(message({}, between("tuning", -1, 2)), Contains("tuning: found -1"));
  CHECK_THROWS_AS(estimate_money_ratio({}, {}, {10, 1}), ContractViolation);
}

TEST_CASE("money model: a tornado's longest bar stands first, around the medians' ratio",
          "[economics]") {
  const Correction corrections[] = {exactly("fixed", 10), at_most("short", 4), at_most("long", 16)};
  const std::vector<Sensitivity> bars = tornado({}, corrections);
  REQUIRE(bars.size() == 3);
  CHECK(bars[0].name == "long");
  CHECK(bars[0].at_low == Approx(50000.0 / 10 / 2));
  CHECK(bars[0].at_high == Approx(50000.0 / 10 / 2 / 16));
  CHECK(bars[1].name == "short");
  CHECK(bars[2].at_low == Approx(bars[2].at_high));
}

TEST_CASE("money model: a projection grows by the tax's exponent, and its interval with distance",
          "[economics]") {
  const std::vector<double> sizes{1e6, 1e8};
  const auto exact = project_money_ratio({}, {}, 1e6, {0.5, 0.5}, sizes, kOptions);
  REQUIRE(exact);
  CHECK((*exact)[0].median == Approx(50000));
  CHECK((*exact)[1].median == Approx(500000));
  CHECK((*exact)[1].interval.low == Approx((*exact)[1].interval.high));
  const auto uncertain = project_money_ratio({}, {}, 1e6, {0.4, 0.6}, sizes, kOptions);
  REQUIRE(uncertain);
  CHECK((*uncertain)[0].interval.low == Approx((*uncertain)[0].interval.high));
  CHECK((*uncertain)[1].interval.low == Approx(50000 * std::pow(1e2, 0.4)).epsilon(0.01));
  CHECK((*uncertain)[1].interval.high == Approx(50000 * std::pow(1e2, 0.6)).epsilon(0.01));
}

}  // namespace
}  // namespace interpscale::economics
