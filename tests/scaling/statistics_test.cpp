// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/statistics.hpp"

#include "interpscale/core/require.hpp"
#include "interpscale/scaling/observation.hpp"
#include "interpscale/scaling/student_t.hpp"
#include "interpscale/scaling/theil_sen.hpp"
#include "support/catch.hpp"

namespace interpscale::scaling {
namespace {

TEST_CASE("median: the middle value, or the mean of the two middle ones", "[scaling]") {
  CHECK(median({3}) == 3);
  CHECK(median({9, 1, 5}) == 5);
  CHECK(median({9, 1, 5, 7}) == 6);
  CHECK(median({2, 2, 2, 100}) == 2);
  CHECK_THROWS_AS(median({}), ContractViolation);
}

TEST_CASE("mad: estimates a normal sample's standard deviation, whatever a few outliers are",
          "[scaling]") {
  // Deviations from 5 are 4 2 0 2 4: their median is 2.
  CHECK(mad({1, 3, 5, 7, 9}) == Approx(1.4826022185056018 * 2));
  CHECK(mad({1, 3, 5, 7, 1e9}) == Approx(1.4826022185056018 * 2));
}

TEST_CASE("quantile: interpolates linearly between order statistics", "[scaling]") {
  const std::vector<double> values{40, 10, 30, 20};
  CHECK(quantile(values, 0) == 10);
  CHECK(quantile(values, 1) == 40);
  CHECK(quantile(values, 0.5) == 25);
  CHECK(quantile(values, 1.0 / 3) == Approx(20));
  CHECK_THROWS_AS(quantile(values, 1.5), ContractViolation);
}

TEST_CASE("student_t_quantile: equals the printed tables and the closed forms", "[scaling]") {
  struct Row {
    double degrees;
    double quantile;  // of 0.975, NIST handbook table 1.3.6.7.2 to more digits
  };
  for (const Row& row :
       {Row{1, 12.706204736432095}, Row{2, 4.302652729911275}, Row{4, 2.7764451051977987},
        Row{8, 2.306004135204166}, Row{30, 2.0422724563012373}, Row{1e7, 1.959964221}}) {
    CAPTURE(row.degrees);
    CHECK(student_t_quantile(0.975, row.degrees) == Approx(row.quantile).epsilon(1e-8));
    CHECK(student_t_quantile(0.025, row.degrees) == Approx(-row.quantile).epsilon(1e-8));
  }
  CHECK(student_t_quantile(0.5, 3) == 0);
}

TEST_CASE("student_t_cdf: undoes the quantile, far into the tails and for fractional degrees",
          "[scaling]") {
  for (const double degrees : {0.7, 1.0, 3.5, 8.0, 200.0}) {
    for (const double probability : {1e-9, 1e-4, 0.2, 0.5, 0.9, 0.9999}) {
      CAPTURE(degrees, probability);
      CHECK(student_t_cdf(student_t_quantile(probability, degrees), degrees) ==
            Approx(probability).epsilon(1e-9));
    }
  }
  // Cauchy: 1/2 + atan(t) / pi.
  CHECK(student_t_cdf(-1, 1) == Approx(0.25).epsilon(1e-12));
}

TEST_CASE("theil_sen_slope: a quarter of wild points does not move it", "[scaling]") {
  const std::vector<double> x{0, 1, 2, 3, 4, 5, 6, 7};
  std::vector<double> y{1, 3, 5, 7, 9, 11, 13, 15};
  CHECK(theil_sen_slope(x, y) == 2);
  y[7] = 1000;
  CHECK(theil_sen_slope(x, y) == 2);
}

TEST_CASE("theil_sen_slope: pairs at the same x are left out", "[scaling]") {
  const std::vector<double> x{0, 0, 1, 1};
  const std::vector<double> y{0, 0, 3, 3};
  CHECK(theil_sen_slope(x, y) == 3);
  const std::vector<double> constant{5, 5};
  const std::vector<double> any{1, 2};
  CHECK_THROWS_AS(theil_sen_slope(constant, any), ContractViolation);
}

}  // namespace
}  // namespace interpscale::scaling
