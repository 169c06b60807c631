// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/loss_law.hpp"

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <array>
#include <cmath>
#include <limits>

#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"
#include "scaling/loss_objective.hpp"
#include "scaling/loss_search.hpp"
#include "scaling/synthetic.hpp"
#include "support/catch.hpp"

namespace interpscale::scaling {
namespace {

using Catch::Matchers::Contains;

constexpr double kExact = 1e-6;
const LossFitOptions kFewDraws{.bootstrap = {200, 1}};
/// About what a published fit to language models found.
const LossLaw kLanguage{1.8172, 482.01, 2085.43, 0.3478, 0.3658};

/// `count` runs with N and D log-uniform over four and three decades, scattered by `noise` in log
/// L.
std::vector<LossPoint> runs(const LossLaw& law, std::size_t count, double noise,
                            std::uint64_t stream) {
  const RandomStream draws(815, stream);
  std::vector<LossPoint> points;
  for (std::size_t i = 0; i < count; ++i) {
    LossPoint point;
    point.parameters = 1e7 * std::pow(10.0, 3 * draws.uniform(3 * i));
    point.data = 1e9 * std::pow(10.0, 2.5 * draws.uniform(3 * i + 1));
    point.loss = law(point.parameters, point.data) * std::exp(noise * draws.normal(3 * i + 2));
    points.push_back(point);
  }
  return points;
}

TEST_CASE("loss law: exact laws of N and D give their parameters back", "[scaling][loss]") {
  const std::vector<LossLaw> laws{
      kLanguage, {0.02, 3, 40, 0.9, 0.5}, {1e-4, 800, 5, 1.3, 0.15}, {2, 15, 15, 0.25, 0.28}};
  for (const LossLaw& law : laws) {
    CAPTURE(law.irreducible, law.parameters_exponent);
    const auto fit = fit_loss_of_parameters_and_data(runs(law, 60, 0, 1), kFewDraws);
    REQUIRE(fit);
    CHECK(fit->law.irreducible == Approx(law.irreducible).epsilon(kExact));
    CHECK(fit->law.parameters_coefficient == Approx(law.parameters_coefficient).epsilon(kExact));
    CHECK(fit->law.data_coefficient == Approx(law.data_coefficient).epsilon(kExact));
    CHECK(fit->law.parameters_exponent == Approx(law.parameters_exponent).epsilon(kExact));
    CHECK(fit->law.data_exponent == Approx(law.data_exponent).epsilon(kExact));
    CHECK(
        fit->optimal_exponent ==
        Approx(law.data_exponent / (law.parameters_exponent + law.data_exponent)).epsilon(kExact));
    CHECK(fit->objective < 1e-18);
    CHECK(fit->intervals.parameters_exponent.half_width() < kExact);
  }
}

TEST_CASE("loss law: an exact law of N gives its parameters back", "[scaling][loss]") {
  std::vector<LossPoint> points;
  for (const double size : synthetic::geometric_sizes(8, 1e3, 2)) {
    points.push_back({size, 0, 0.03 + 5 * std::pow(size, -0.66)});
  }
  const auto fit = fit_loss_of_parameters(points, kFewDraws);
  REQUIRE(fit);
  CHECK(fit->law.irreducible == Approx(0.03).epsilon(kExact));
  CHECK(fit->law.parameters_coefficient == Approx(5).epsilon(kExact));
  CHECK(fit->law.parameters_exponent == Approx(0.66).epsilon(kExact));
  CHECK(fit->law.data_coefficient == 0);
  CHECK(fit->intervals.parameters_exponent.half_width() < kExact);
}

TEST_CASE("coverage: the numbers of a loss law, 245 runs with 1 % noise",
          "[scaling][loss][coverage]") {
  constexpr int kStudies = 20;
  constexpr std::array<double LossLaw::*, 5> kNumbers{
      &LossLaw::irreducible, &LossLaw::parameters_coefficient, &LossLaw::data_coefficient,
      &LossLaw::parameters_exponent, &LossLaw::data_exponent};
  constexpr std::array<Interval LossLawIntervals::*, 5> kIntervals{
      &LossLawIntervals::irreducible, &LossLawIntervals::parameters_coefficient,
      &LossLawIntervals::data_coefficient, &LossLawIntervals::parameters_exponent,
      &LossLawIntervals::data_exponent};
  std::array<int, 6> covered{};
  for (std::uint64_t study = 0; study < kStudies; ++study) {
    const auto fit = fit_loss_of_parameters_and_data(runs(kLanguage, 245, 0.01, 100 + study),
                                                     LossFitOptions{.bootstrap = {200, study}});
    REQUIRE(fit);
    for (std::size_t j = 0; j < kNumbers.size(); ++j) {
      const Interval& interval = fit->intervals.*kIntervals[j];
      covered[j] += interval.contains(kLanguage.*kNumbers[j]) ? 1 : 0;
      CHECK(interval.half_width() < 3 * fit->standard_errors.*kNumbers[j]);
    }
    covered[5] += fit->optimal_exponent_interval.contains(0.3658 / (0.3478 + 0.3658)) ? 1 : 0;
    CHECK(fit->optimal_exponent_interval.half_width() < 0.05);
  }
  for (const int each : covered) {
    CHECK(synthetic::binomial_cdf(each, kStudies, 0.95) > 1e-3);
  }
}

TEST_CASE("coverage: the exponent of a law of N, three seeds at each of eight sizes",
          "[scaling][loss][coverage]") {
  constexpr int kStudies = 200;
  const LossLaw law{0.03, 5, 0, 0.66, 0};
  int covered = 0;
  for (std::uint64_t study = 0; study < kStudies; ++study) {
    const RandomStream draws(816, study);
    std::vector<LossPoint> points;
    for (const double size : synthetic::geometric_sizes(8, 1e3, 2)) {
      for (int seed = 0; seed < 3; ++seed) {
        const double scatter = std::exp(0.02 * draws.normal(points.size()));
        points.push_back({size, 0, law(size, 0) * scatter});
      }
    }
    const auto fit = fit_loss_of_parameters(points, LossFitOptions{.bootstrap = {200, study}});
    REQUIRE(fit);
    covered += fit->intervals.parameters_exponent.contains(law.parameters_exponent) ? 1 : 0;
  }
  CAPTURE(covered);
  CHECK(synthetic::binomial_cdf(covered, kStudies, 0.95) > 1e-3);
}

TEST_CASE("loss law: no place of a fine grid lies below the minimum", "[scaling][loss]") {
  const std::vector<LossPoint> points = runs(kLanguage, 245, 0.01, 3);
  const LossObjective objective(points, true, 1e-3);
  const LossMinimum minimum = search_loss(objective);
  const std::vector<double> ones(points.size(), 1.0);
  // Around the minimum, at steps from a hundredth to twice what the points resolve.
  const Eigen::MatrixXd jacobian =
      objective.linearised(minimum.theta, objective.log_losses(), ones).leftCols(5);
  const Eigen::MatrixXd axes = (jacobian.transpose() * jacobian).inverse().llt().matrixL();
  constexpr int kPlaces = 5;
  double least = std::numeric_limits<double>::infinity();
  for (const double step : {1e-4, 1e-3, 1e-2}) {
    for (int place = 0; place < kPlaces * kPlaces * kPlaces * kPlaces * kPlaces; ++place) {
      LossParameters z(5);
      for (int axis = 0, rest = place; axis < 5; ++axis, rest /= kPlaces) {
        z(axis) = step * (rest % kPlaces - kPlaces / 2);
      }
      const bool is_minimum = z.isZero();
      const double value =
          objective.value(minimum.theta + axes * z, objective.log_losses(), ones, nullptr);
      least = is_minimum ? least : std::min(least, value);
    }
  }
  CHECK(minimum.value <= least);
  // From far away too: the grid of starts of the published fit, thinned.
  for (const double exponent : {0.0, 0.5, 1.0, 1.5}) {
    for (const double level : {-1.0, 1.0}) {
      LossParameters start(5);
      start << level, 0.5, exponent, -0.5, 2 - exponent;
      const LossMinimum other = descend_loss(objective, start, objective.log_losses(), ones);
      CHECK(minimum.value <= other.value * (1 + 1e-10));
    }
  }
}

TEST_CASE("loss law: the gradient is the objective's", "[scaling][loss]") {
  const std::vector<LossPoint> points = runs(kLanguage, 20, 0.05, 4);
  const LossObjective objective(points, true, 1e-2);
  std::vector<double> weights(points.size(), 1.0);
  weights[3] = 0;
  weights[7] = 2;
  LossParameters theta(5);
  theta << 0.4, -0.3, 0.3, -0.6, 0.45;
  LossParameters gradient(5);
  const double value = objective.value(theta, objective.log_losses(), weights, &gradient);
  CHECK(value == objective.value(theta, objective.log_losses(), weights, nullptr));
  // Central differences: truncation ~ step^2, rounding ~ epsilon value / step.
  constexpr double kStep = 1e-6;
  for (Eigen::Index j = 0; j < 5; ++j) {
    LossParameters above = theta;
    LossParameters below = theta;
    above(j) += kStep;
    below(j) -= kStep;
    const double slope = (objective.value(above, objective.log_losses(), weights, nullptr) -
                          objective.value(below, objective.log_losses(), weights, nullptr)) /
                         (2 * kStep);
    CHECK(std::abs(gradient(j) - slope) < 1e-7 * (1 + gradient.norm()));
  }
}

TEST_CASE("loss law: losses in another unit scale E, A and B alone", "[scaling][loss]") {
  std::vector<LossPoint> points = runs(kLanguage, 100, 0.01, 5);
  const auto nats = fit_loss_of_parameters_and_data(points, kFewDraws);
  for (LossPoint& point : points) {
    point.loss *= 1e-3;
  }
  const auto other = fit_loss_of_parameters_and_data(points, kFewDraws);
  REQUIRE(nats);
  REQUIRE(other);
  CHECK(other->law.irreducible == Approx(1e-3 * nats->law.irreducible).epsilon(kExact));
  CHECK(other->law.parameters_exponent == Approx(nats->law.parameters_exponent).epsilon(kExact));
  CHECK(other->objective == Approx(nats->objective).epsilon(1e-9));
}

TEST_CASE("loss law: the same draws for one thread and two", "[scaling][loss]") {
  const auto points = runs(kLanguage, 50, 0.01, 6);
  LossFitOptions options = kFewDraws;
  const auto one = fit_loss_of_parameters_and_data(points, options);
  options.threads = 2;
  const auto two = fit_loss_of_parameters_and_data(points, options);
  REQUIRE(one);
  REQUIRE(two);
  CHECK(one->intervals.irreducible.low == two->intervals.irreducible.low);
  CHECK(one->optimal_exponent_interval.high == two->optimal_exponent_interval.high);
}

TEST_CASE("loss law: what cannot be fitted is one clear error", "[scaling][loss]") {
  std::vector<LossPoint> points = runs(kLanguage, 20, 0.01, 7);
  const auto message = [](const std::vector<LossPoint>& these) {
    const auto fit = fit_loss_of_parameters_and_data(these, kFewDraws);
    return fit ? std::string() : fit.error().message;
  };
  CHECK(message(points).empty());
  CHECK_THAT(message({points.begin(), points.begin() + 7}), Contains("found 7 points"));
  auto changed = points;
  changed[4].loss = -1;
  CHECK_THAT(message(changed), Contains("point 4") && Contains("loss = -1"));
  changed = points;
  changed[5].data = std::numeric_limits<double>::quiet_NaN();
  CHECK_THAT(message(changed), Contains("point 5") && Contains("D = nan"));
  for (LossPoint& point : changed) {
    point.data = 20 * point.parameters;
  }
  CHECK_THAT(message(changed), Contains("not identified"));
  for (LossPoint& point : changed) {
    point.parameters = 1e6;
  }
  CHECK_THAT(message(changed), Contains("1 distinct N"));
}

}  // namespace
}  // namespace interpscale::scaling
