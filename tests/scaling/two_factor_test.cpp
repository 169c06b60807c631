// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/two_factor.hpp"

#include <fmt/format.h>

#include <cmath>

#include "scaling/synthetic.hpp"
#include "support/catch.hpp"

namespace interpscale::scaling {
namespace {

using Catch::Matchers::Contains;
using synthetic::Draws;
using synthetic::Errors;

constexpr double kExact = 1e-6;
const BootstrapOptions kFewResamples{200, 1};

std::vector<Observation> timed(std::vector<Observation> cells, double alpha, double beta,
                               const Errors& errors, std::uint64_t stream = 0) {
  Draws draws(31, stream);
  synthetic::time_cells(
      cells,
      [&](const Observation& cell) {
        return 1e-9 * std::pow(cell.parameters, alpha) * std::pow(cell.neurons, beta);
      },
      errors, draws);
  return cells;
}

TEST_CASE("two factors: exact exponents come back, from one exact round as from nine",
          "[scaling][two_factor]") {
  for (const std::size_t rounds : {1U, 9U}) {
    CAPTURE(rounds);
    const auto fit =
        fit_two_factors(timed(synthetic::slanted_design(), 0.85, 0.4, Errors{.rounds = rounds}),
                        false, kFewResamples);
    REQUIRE(fit);
    REQUIRE(fit->identifiability.identified);
    CHECK(fit->identifiability.reason.empty());
    CHECK(fit->identifiability.rank == 2);
    CHECK(std::abs(fit->of("N")->value - 0.85) < kExact);
    CHECK(std::abs(fit->of("n")->value - 0.4) < kExact);
    CHECK(std::abs(fit->intercept - std::log(1e-9)) < kExact);
    CHECK(fit->of("N")->interval.half_width() < kExact);
    CHECK(fit->r_squared == Approx(1));
    CHECK(fit->choice.chosen == "N and n");
    CHECK_FALSE(fit->of("B"));
  }
}

TEST_CASE("two factors: one round with scatter has an interval, made of residuals",
          "[scaling][two_factor]") {
  const auto fit = fit_two_factors(
      timed(synthetic::slanted_design(), 1, 0, Errors{.scatter = 0.05, .rounds = 1}), false,
      kFewResamples);
  REQUIRE(fit);
  CHECK(fit->of("N")->interval.half_width() > 0.01);
  CHECK(fit->of("N")->interval.contains(1));
}

TEST_CASE("two factors: predictor choice answers parameters, neurons or both",
          "[scaling][two_factor]") {
  const auto choice = [](double alpha, double beta) {
    const auto fit =
        fit_two_factors(timed(synthetic::slanted_design(), alpha, beta, Errors{.cell = 0.01}),
                        false, kFewResamples);
    return fit->choice;
  };
  CHECK(choice(1, 0).chosen == "N");
  CHECK(choice(0, 1).chosen == "n");
  CHECK(choice(0.5, 0.5).chosen == "N and n");
  const PredictorChoice weights = choice(1, 0);
  CHECK(weights.weight_parameters + weights.weight_neurons + weights.weight_both == Approx(1));
  CHECK(weights.weight_parameters > weights.weight_both);
}

TEST_CASE("two factors: batch and inputs enter where they vary and are asked for",
          "[scaling][two_factor]") {
  std::vector<Observation> cells = synthetic::slanted_design();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i].batch = i % 3 == 0 ? 32 : 256;
    cells[i].inputs = i % 2 == 0 ? 16 : 64;
  }
  Draws draws(1, 1);
  synthetic::time_cells(
      cells,
      [](const Observation& cell) {
        return 1e-9 * cell.parameters * std::pow(cell.batch, 0.8) * std::pow(cell.inputs, 0.1);
      },
      Errors{}, draws);
  const auto with_others = fit_two_factors(cells, true, kFewResamples);
  REQUIRE(with_others);
  REQUIRE(with_others->identifiability.identified);
  CHECK(with_others->exponents.size() == 4);
  CHECK(std::abs(with_others->of("B")->value - 0.8) < kExact);
  CHECK(std::abs(with_others->of("d")->value - 0.1) < kExact);
  CHECK(std::abs(with_others->of("N")->value - 1) < kExact);
  CHECK(fit_two_factors(cells, false, kFewResamples)->exponents.size() == 2);
}

TEST_CASE("factors: any measures of size, under their own names", "[scaling][two_factor]") {
  std::vector<Observation> cells = synthetic::slanted_design();
  std::vector<Factor> factors{{"width", {}}, {"depth", {}}, {"inputs", {}}};
  for (const Observation& cell : cells) {
    const double depth = cell.name.find("depth 1 ") != std::string::npos ? 1 : 2 + cell.batch / 64;
    factors[0].values.push_back(cell.neurons / depth);
    factors[1].values.push_back(depth * (1 + cell.inputs / 300));
    factors[2].values.push_back(cell.inputs);
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i].rounds = {1e-9 * std::pow(factors[0].values[i], 1.9) * factors[1].values[i] *
                       std::pow(factors[2].values[i], 0.2)};
  }
  const auto fit = fit_factors(factors, cells, kFewResamples);
  REQUIRE(fit);
  REQUIRE(fit->identifiability.identified);
  CHECK(std::abs(fit->of("width")->value - 1.9) < kExact);
  CHECK(std::abs(fit->of("depth")->value - 1) < kExact);
  CHECK(std::abs(fit->of("inputs")->value - 0.2) < kExact);
  CHECK(fit->choice.chosen == "width and depth");
  factors[1].values[2] = -1;
  const auto refused = fit_factors(factors, cells, kFewResamples);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Contains("depth = -1"));
}

TEST_CASE("two factors: N and n that move together are not identified, and no number is given",
          "[scaling][two_factor]") {
  std::vector<Observation> cells = synthetic::cells_of(synthetic::geometric_sizes(8, 1e4, 3));
  for (Observation& cell : cells) {
    cell.neurons = 3 * std::sqrt(cell.parameters);
  }
  const auto fit = fit_two_factors(timed(cells, 1, 0, Errors{.cell = 0.01}), false, kFewResamples);
  REQUIRE(fit);
  CHECK_FALSE(fit->identifiability.identified);
  CHECK(fit->identifiability.rank == 1);
  CHECK(fit->identifiability.columns == 2);
  CHECK(std::isinf(fit->identifiability.largest_vif));
  CHECK_THAT(fit->identifiability.reason, Contains("rank 1"));
  CHECK(fit->exponents.empty());
  CHECK_FALSE(fit->of("N"));
  CHECK(fit->choice.chosen.empty());
}

TEST_CASE("two factors: a plain width by depth crossing has too large a VIF",
          "[scaling][two_factor]") {
  std::vector<Observation> cells;
  for (const double width : {32.0, 128.0, 512.0, 2048.0}) {
    for (const double depth : {2.0, 3.0, 4.0}) {
      Observation cell;
      cell.name = fmt::format("width {} depth {}", width, depth);
      cell.parameters = depth * width * width;
      cell.neurons = width * depth;
      cells.push_back(cell);
    }
  }
  const auto fit = fit_two_factors(timed(cells, 1, 0, Errors{.cell = 0.01}), false, kFewResamples);
  REQUIRE(fit);
  CHECK_FALSE(fit->identifiability.identified);
  CHECK(fit->identifiability.rank == 2);
  CHECK(fit->identifiability.largest_vif > kLargestVif);
  CHECK_THAT(fit->identifiability.reason, Contains("variance inflation factor"));
  CHECK(fit->exponents.empty());
}

TEST_CASE("two factors: VIF and condition number are those of the correlation",
          "[scaling][two_factor]") {
  const std::vector<Observation> cells =
      timed(synthetic::slanted_design(), 1, 0, Errors{.cell = 0.01});
  // With two predictors of correlation r: VIF = 1 / (1 - r^2), condition^2 = (1 + r) / (1 - r).
  double sum_x = 0, sum_y = 0, xx = 0, yy = 0, xy = 0;
  for (const Observation& cell : cells) {
    const double x = std::log(cell.parameters);
    const double y = std::log(cell.neurons);
    sum_x += x;
    sum_y += y;
    xx += x * x;
    yy += y * y;
    xy += x * y;
  }
  const auto m = static_cast<double>(cells.size());
  const double r =
      (xy - sum_x * sum_y / m) / std::sqrt((xx - sum_x * sum_x / m) * (yy - sum_y * sum_y / m));
  const auto fit = fit_two_factors(cells, false, kFewResamples);
  REQUIRE(fit);
  CHECK(fit->identifiability.largest_vif == Approx(1 / (1 - r * r)).epsilon(1e-9));
  CHECK(fit->of("n")->vif == Approx(1 / (1 - r * r)).epsilon(1e-9));
  CHECK(fit->identifiability.condition_number ==
        Approx(std::sqrt((1 + std::abs(r)) / (1 - std::abs(r)))).epsilon(1e-9));
}

TEST_CASE("two factors: times in another unit move the intercept alone", "[scaling][two_factor]") {
  std::vector<Observation> cells = timed(synthetic::slanted_design(), 1, 0.1, Errors{.cell = 0.02});
  const auto seconds = fit_two_factors(cells, false, kFewResamples);
  for (Observation& cell : cells) {
    for (double& time : cell.rounds) {
      time *= 10;
    }
  }
  const auto other = fit_two_factors(cells, false, kFewResamples);
  REQUIRE(seconds);
  REQUIRE(other);
  CHECK(other->of("N")->value == Approx(seconds->of("N")->value).epsilon(kExact));
  CHECK(other->of("n")->interval.low == Approx(seconds->of("n")->interval.low).epsilon(kExact));
  CHECK(other->intercept == Approx(seconds->intercept + std::log(10.0)).epsilon(kExact));
}

TEST_CASE("two factors: unusable input is an error that names the cell", "[scaling][two_factor]") {
  std::vector<Observation> cells = timed(synthetic::slanted_design(), 1, 0, Errors{});
  cells[5].neurons = 0;
  const auto fit = fit_two_factors(cells, false, kFewResamples);
  REQUIRE_FALSE(fit);
  CHECK_THAT(fit.error().message, Contains(cells[5].name) && Contains("n = 0"));
  const auto none = fit_two_factors({}, false, kFewResamples);
  REQUIRE_FALSE(none);
  CHECK_THAT(none.error().message, Contains("at least 4"));
}

}  // namespace
}  // namespace interpscale::scaling
