// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/change_points.hpp"

#include <cmath>

#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"
#include "support/catch.hpp"

namespace interpscale::scaling {
namespace {

constexpr std::uint64_t kSeed = 11;

/// `length` values around 100 with 1 % noise, multiplied by `step` from `at` on.
std::vector<double> series_of(std::size_t length, std::size_t at, double step,
                              std::uint64_t stream) {
  const RandomStream random(kSeed, stream);
  std::vector<double> series;
  for (std::size_t i = 0; i < length; ++i) {
    series.push_back(100 * (1 + 0.01 * random.normal(i)) * (i < at ? 1 : step));
  }
  return series;
}

TEST_CASE("change points: a step of 5 % in 1 % noise is found where it is", "[scaling][change]") {
  constexpr int kRuns = 40;
  int exact = 0;
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    const auto points = change_points(series_of(30, 18, 1.05, run), {});
    REQUIRE_FALSE(points.empty());
    exact += points[0].index == 18 ? 1 : 0;
    if (points.size() == 1) {
      CHECK(points[0].after / points[0].before == Approx(1.05).margin(0.02));
    }
  }
  // Five deviations apart, the neighbour of the step lies on the wrong side once in 160.
  CHECK(exact >= 36);
}

TEST_CASE("change points: steady series raise no more alarms than the significance says",
          "[scaling][change]") {
  constexpr int kRuns = 300;
  int alarms = 0;
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    alarms +=
        change_points(series_of(24, 24, 1, 100 + run), {.significance = 0.05, .permutations = 99})
                .empty()
            ? 0
            : 1;
  }
  // Binomial(300, 0.05): mean 15, deviation 3.8; 3.1 deviations above is one in a thousand.
  CHECK(alarms < 27);
  CHECK(alarms > 3);
}

TEST_CASE("change points: two steps are two points, an outlier is none", "[scaling][change]") {
  std::vector<double> series = series_of(45, 15, 1.1, 7);
  for (std::size_t i = 30; i < series.size(); ++i) {
    series[i] *= 0.8;
  }
  const auto points = change_points(series, {});
  REQUIRE(points.size() == 2);
  CHECK(points[0].index == 15);
  CHECK(points[1].index == 30);
  CHECK(points[1].before == Approx(110).margin(2));
  std::vector<double> steady = series_of(30, 30, 1, 8);
  steady[12] *= 3;
  CHECK(change_points(steady, {}).empty());
}

TEST_CASE("change points: the statistic of a perfect step is the textbook's", "[scaling][change]") {
  // Two constant halves; a shuffle that does as well comes twice in 924.
  const std::vector<double> step{1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2};
  const auto points = change_points(step, {});
  REQUIRE(points.size() == 1);
  CHECK(points[0].index == 6);
  CHECK(points[0].before == 1);
  CHECK(points[0].after == 2);
}

TEST_CASE("change points: short and constant series have none", "[scaling][change]") {
  CHECK(change_points({}, {}).empty());
  CHECK(change_points(std::vector<double>{1, 2, 3, 9, 9, 9, 9}, {}).empty());
  CHECK(change_points(std::vector<double>(30, 5.0), {}).empty());
  CHECK_THROWS_AS(change_points(std::vector<double>(30, 5.0), {.shortest = 1}), ContractViolation);
}

}  // namespace
}  // namespace interpscale::scaling
