// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/optimal_size.hpp"

#include <cmath>

#include "interpscale/core/random.hpp"
#include "interpscale/scaling/loss_law.hpp"
#include "scaling/synthetic.hpp"
#include "support/catch.hpp"

namespace interpscale::scaling {
namespace {

using Catch::Matchers::Contains;

const BootstrapOptions kFewResamples{200, 1};

/// Runs of every size, C = 6 N D, whose losses follow `law`; a run's luck `noise` lasts.
std::vector<LossCurve> curves_of(const LossLaw& law, std::size_t sizes, std::size_t seeds,
                                 double noise, std::uint64_t stream) {
  const RandomStream draws(99, stream);
  std::vector<LossCurve> curves;
  for (const double size : synthetic::geometric_sizes(sizes, 1e3, 4)) {
    for (std::size_t seed = 0; seed < seeds; ++seed) {
      const double luck = std::exp(noise * draws.normal(curves.size()));
      LossCurve curve{size, {}, {}};
      for (const double data : synthetic::geometric_sizes(160, 10, 8)) {
        curve.compute.push_back(6 * size * data);
        curve.losses.push_back(luck * law(size, data));
      }
      curves.push_back(curve);
    }
  }
  return curves;
}

/// E = 0 and alpha = beta: parabolas in log N are even then, so N_opt ~ C^(1/2) exactly.
const LossLaw kEven{0, 20, 20, 0.5, 0.5};

TEST_CASE("optimal size: an even law gives C^1/2", "[scaling][optimal_size]") {
  const auto budgets = synthetic::geometric_sizes(6, 1e9, 2.5);
  const auto fit = fit_optimal_size(curves_of(kEven, 17, 1, 0, 1), budgets, kFewResamples);
  REQUIRE(fit);
  CHECK(fit->exponent == Approx(0.5).margin(0.01));
  CHECK(fit->interval.contains(0.5));
  CHECK(fit->interval.half_width() < 0.05);
  for (const ComputeBudget& budget : fit->budgets) {
    CHECK(budget.reason.empty());
    CHECK(budget.optimal_parameters == Approx(std::sqrt(budget.compute / 6)).epsilon(0.1));
    CHECK(budget.sizes.size() == 7);
  }
}

TEST_CASE("optimal size: the joint law's own exponent is inside the interval, with luck too",
          "[scaling][optimal_size]") {
  const LossLaw law{0.01, 20, 40, 0.6, 0.45};
  const auto budgets = synthetic::geometric_sizes(6, 1e9, 2.5);
  int covered = 0;
  constexpr int kStudies = 60;
  for (std::uint64_t study = 0; study < kStudies; ++study) {
    const auto fit = fit_optimal_size(curves_of(law, 17, 3, 0.02, study), budgets, kFewResamples);
    REQUIRE(fit);
    covered += fit->interval.contains(0.45 / 1.05) ? 1 : 0;
    CHECK(fit->interval.half_width() < 0.25);
  }
  CAPTURE(covered);
  CHECK(synthetic::binomial_cdf(covered, kStudies, 0.95) > 1e-3);
}

TEST_CASE("optimal size: budgets whose minimum is at an edge do not count, and say so",
          "[scaling][optimal_size]") {
  const auto curves = curves_of(kEven, 9, 1, 0, 1);
  const std::vector<double> budgets{6e6, 1e9, 1e10, 1e11, 6e14};
  const auto fit = fit_optimal_size(curves, budgets, kFewResamples);
  REQUIRE(fit);
  CHECK_THAT(fit->budgets.front().reason, Contains("smallest"));
  CHECK(fit->budgets[1].reason.empty());
  CHECK_THAT(fit->budgets.back().reason, Contains("largest"));
  const auto none = fit_optimal_size(curves, std::vector<double>{6e6, 1e9}, kFewResamples);
  REQUIRE_FALSE(none);
  CHECK_THAT(none.error().message, Contains("found 1 of 2 budgets"));
}

TEST_CASE("optimal size: the frontier holds what nothing cheaper beats",
          "[scaling][optimal_size]") {
  const std::vector<LossCurve> curves{{10, {1, 2, 4, 8}, {5, 4, 3.5, 3.4}},
                                      {100, {2, 4, 8, 16}, {6, 3, 3.6, 1}}};
  const auto frontier = loss_frontier(curves);
  REQUIRE(frontier);
  REQUIRE(frontier->size() == 4);
  CHECK((*frontier)[1].loss == 4);
  CHECK((*frontier)[2].loss == 3);
  CHECK((*frontier)[2].parameters == 100);
  CHECK((*frontier)[3].compute == 16);
}

TEST_CASE("optimal size: curves that are none are errors", "[scaling][optimal_size]") {
  const auto message = [](const LossCurve& curve) {
    const auto frontier = loss_frontier(std::vector<LossCurve>{curve});
    return frontier ? std::string() : frontier.error().message;
  };
  CHECK(message({10, {1, 2}, {2, 1}}).empty());
  CHECK_THAT(message({10, {2, 1}, {2, 1}}), Contains("curve 0, point 1"));
  CHECK_THAT(message({10, {1, 2}, {2, -1}}), Contains("loss -1"));
  CHECK_THAT(message({0, {1}, {1}}), Contains("N = 0"));
}

}  // namespace
}  // namespace interpscale::scaling
