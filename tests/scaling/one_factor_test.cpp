// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/one_factor.hpp"

#include <cmath>
#include <limits>

#include "interpscale/core/require.hpp"
#include "scaling/synthetic.hpp"
#include "support/catch.hpp"

namespace interpscale::scaling {
namespace {

using synthetic::Errors;
using synthetic::geometric_sizes;
using synthetic::study;

constexpr double kExact = 1e-6;
const BootstrapOptions kFewResamples{200, 1};

TEST_CASE("one factor: exact power laws give their parameters back", "[scaling][one_factor]") {
  const std::vector<double> sizes = geometric_sizes(8, 1e3, 3);
  for (const double exponent : {0.3, 0.9, 1.0, 1.37, 2.0, 3.0}) {
    CAPTURE(exponent);
    const auto fit = fit_one_factor(
        sizes, study(sizes, [&](double x) { return 2e-9 * std::pow(x, exponent); }), kFewResamples);
    REQUIRE(fit);
    CHECK(fit->law.kind == LawKind::kPower);
    CHECK(std::abs(fit->law.exponent - exponent) < kExact);
    CHECK(fit->law.coefficient == Approx(2e-9).epsilon(kExact));
    CHECK(fit->law.overhead == 0);
    CHECK(fit->exponent.half_width() < kExact);
    CHECK(std::abs(fit->theil_sen - exponent) < kExact);
    CHECK_FALSE(fit->theil_sen_disagrees);
    CHECK(std::abs(fit->leave_largest_out_error) < kExact);
    REQUIRE(fit->local_slopes.size() == sizes.size() - 1);
    CHECK(std::abs(fit->local_slopes.front().slope - exponent) < kExact);
  }
}

TEST_CASE("one factor: exact laws with overhead give their parameters back, large or small",
          "[scaling][one_factor]") {
  const std::vector<double> sizes = geometric_sizes(9, 1e4, 2);
  for (const double exponent : {0.5, 1.0, 1.5, 2.2}) {
    for (const double share : {0.01, 0.1, 0.3, 1.0, 10.0, 100.0}) {  // at the smallest size
      CAPTURE(exponent, share);
      const double coefficient = 1e-9;
      const double overhead = share * coefficient * std::pow(sizes.front(), exponent);
      const auto time = [&](double x) { return overhead + coefficient * std::pow(x, exponent); };
      const auto fit = fit_one_factor(sizes, study(sizes, time), kFewResamples);
      REQUIRE(fit);
      CHECK(fit->law.kind == LawKind::kPowerWithOverhead);
      CHECK(std::abs(fit->law.exponent - exponent) < kExact);
      CHECK(fit->law.overhead == Approx(overhead).epsilon(1e-5));
      CHECK(fit->law(sizes.back()) == Approx(time(sizes.back())).epsilon(kExact));
      CHECK(std::abs(fit->exponent.low - exponent) < kExact);
      CHECK(std::abs(fit->exponent.high - exponent) < kExact);
    }
  }
}

TEST_CASE("one factor: an exact x log x is found, its exponent reported as 1",
          "[scaling][one_factor]") {
  const std::vector<double> sizes = geometric_sizes(8, 1e4, 2);
  const auto fit = fit_one_factor(
      sizes, study(sizes, [](double x) { return 3e-9 * x * std::log(x); }), kFewResamples);
  REQUIRE(fit);
  CHECK(fit->law.kind == LawKind::kLogLinear);
  CHECK(fit->law.exponent == 1);
  CHECK(fit->law.coefficient == Approx(3e-9).epsilon(kExact));
  CHECK(fit->exponent.half_width() < kExact);
}

TEST_CASE("one factor: all candidates are reported, best first, their weights summing to 1",
          "[scaling][one_factor]") {
  const std::vector<double> sizes = geometric_sizes(8, 1e4, 2);
  const auto fit =
      fit_one_factor(sizes,
                     study(
                         sizes, [](double x) { return 1e-9 * x; }, Errors{.cell = 0.01}),
                     kFewResamples);
  REQUIRE(fit);
  REQUIRE(fit->candidates.size() == 3);
  double sum = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    sum += fit->candidates[c].weight;
    CHECK(fit->candidates[c].aicc >= fit->candidates.front().aicc);
  }
  CHECK(sum == Approx(1));
  CHECK(fit->candidates.front().kind == fit->law.kind);
  double squares = 0;
  for (const double residual : fit->residuals) {
    squares += residual * residual;
  }
  CHECK(squares == Approx(fit->law.sum_of_squares));
}

TEST_CASE("one factor: with 1 % noise the choice finds the law behind the times",
          "[scaling][one_factor]") {
  const std::vector<double> sizes = geometric_sizes(8, 1e4, 2);
  struct Case {
    LawKind kind;
    std::function<double(double)> time;
  };
  const std::vector<Case> cases{
      {LawKind::kPower, [](double x) { return 1e-9 * x; }},
      {LawKind::kPowerWithOverhead, [](double x) { return 2e-6 + 1e-9 * x; }},
      {LawKind::kLogLinear, [](double x) { return 1e-9 * x * std::log(x); }},
  };
  for (const Case& each : cases) {
    CAPTURE(name_of(each.kind));
    constexpr int kStudies = 50;
    int found = 0;
    for (int k = 0; k < kStudies; ++k) {
      const auto fit = fit_one_factor(
          sizes, study(sizes, each.time, Errors{.cell = 0.01}, static_cast<std::uint64_t>(k)),
          BootstrapOptions{100, 1});
      REQUIRE(fit);
      found += fit->law.kind == each.kind ? 1 : 0;
    }
    CHECK(found >= kStudies * 9 / 10);
  }
}

TEST_CASE("one factor: an overhead that drags log-log slopes down does not touch the exponent",
          "[scaling][one_factor]") {
  const std::vector<double> sizes = geometric_sizes(8, 1e4, 2);
  const auto fit =
      fit_one_factor(sizes, study(sizes, [](double x) { return 1e-5 + 1e-9 * x; }), kFewResamples);
  REQUIRE(fit);
  CHECK(fit->theil_sen < 0.92);
  CHECK(std::abs(fit->law.exponent - 1) < kExact);
  CHECK(fit->local_slopes.front().slope < 0.7);
  CHECK_FALSE(fit->theil_sen_disagrees);  // robust slope of the residuals: the law explains it
}

TEST_CASE("one factor: wild cells at one end make the robust slope disagree",
          "[scaling][one_factor]") {
  const std::vector<double> sizes = geometric_sizes(24, 1e4, 2);
  std::vector<Observation> cells = study(sizes, [](double x) { return 1e-9 * x; });
  for (std::size_t i = sizes.size() - 4; i < sizes.size(); ++i) {
    for (double& time : cells[i].rounds) {
      time /= 2;
    }
  }
  const auto fit = fit_one_factor(sizes, cells, kFewResamples);
  REQUIRE(fit);
  CHECK(std::abs(fit->theil_sen - 1) < kExact);
  CHECK(fit->law.exponent < 0.9);
  CHECK(fit->theil_sen_disagrees);
}

TEST_CASE("one factor: the largest size is predicted from the others", "[scaling][one_factor]") {
  const std::vector<double> sizes = geometric_sizes(12, 1e4, 2);
  std::vector<Observation> cells = study(sizes, [](double x) { return 1e-9 * x; });
  for (double& time : cells.back().rounds) {
    time *= 3;
  }
  const auto fit = fit_one_factor(sizes, cells, kFewResamples);
  REQUIRE(fit);
  CHECK(std::abs(fit->leave_largest_out_error - std::log(3.0)) < kExact);
}

TEST_CASE("one factor: times in another unit leave exponents and intervals alone",
          "[scaling][one_factor]") {
  const std::vector<double> sizes = geometric_sizes(8, 1e4, 2);
  const auto fit_scaled = [&](double unit) {
    return fit_one_factor(
        sizes,
        study(
            sizes, [unit](double x) { return unit * (1e-6 + 1e-9 * x); }, Errors{.cell = 0.01}),
        kFewResamples);
  };
  const auto seconds = fit_scaled(1);
  const auto other = fit_scaled(10);
  REQUIRE(seconds);
  REQUIRE(other);
  CHECK(other->law.kind == seconds->law.kind);
  CHECK(other->law.exponent == Approx(seconds->law.exponent).epsilon(kExact));
  CHECK(other->law.overhead == Approx(10 * seconds->law.overhead).epsilon(kExact));
  CHECK(other->exponent.low == Approx(seconds->exponent.low).epsilon(1e-4));
  CHECK(other->exponent.high == Approx(seconds->exponent.high).epsilon(1e-4));
}

TEST_CASE("one factor: the same seed gives the same interval to the last bit",
          "[scaling][one_factor]") {
  const std::vector<double> sizes = geometric_sizes(8, 1e4, 2);
  const auto cells = study(
      sizes, [](double x) { return 1e-9 * x; }, Errors{.cell = 0.02});
  const auto first = fit_one_factor(sizes, cells, BootstrapOptions{300, 5});
  const auto again = fit_one_factor(sizes, cells, BootstrapOptions{300, 5});
  const auto other = fit_one_factor(sizes, cells, BootstrapOptions{300, 6});
  REQUIRE(first);
  REQUIRE(again);
  REQUIRE(other);
  CHECK(first->exponent.low == again->exponent.low);
  CHECK(first->exponent.high == again->exponent.high);
  CHECK(first->exponent.low != other->exponent.low);
}

TEST_CASE("one factor: a slow round that slows all cells alike does not widen the interval",
          "[scaling][one_factor]") {
  const std::vector<double> sizes = geometric_sizes(8, 1e4, 2);
  const auto half_width = [&](double round) {
    double sum = 0;
    for (std::uint64_t k = 0; k < 20; ++k) {
      const auto cells = study(
          sizes, [](double x) { return 1e-9 * x; }, Errors{.cell = 0.01, .round = round}, k);
      sum += fit_one_factor(sizes, cells, kFewResamples)->exponent.half_width();
    }
    return sum;
  };
  CHECK(half_width(0.2) < 1.2 * half_width(0));
}

TEST_CASE("one factor: scatter around the law that all rounds share widens the interval",
          "[scaling][one_factor]") {
  const std::vector<double> sizes = geometric_sizes(8, 1e4, 2);
  const auto time = [](double x) { return 1e-9 * x; };
  const auto clean =
      fit_one_factor(sizes, study(sizes, time, Errors{.cell = 0.001}), kFewResamples);
  const auto scattered = fit_one_factor(
      sizes, study(sizes, time, Errors{.cell = 0.001, .scatter = 0.03}), kFewResamples);
  REQUIRE(clean);
  REQUIRE(scattered);
  CHECK(scattered->exponent.half_width() > 5 * clean->exponent.half_width());
}

TEST_CASE("one factor: a step between two sizes is found and flagged, a smooth law is not",
          "[scaling][one_factor]") {
  const std::vector<double> sizes = geometric_sizes(8, 1e4, 2);
  const double capacity = std::sqrt(sizes[3] * sizes[4]);
  const auto broken = [&](double x) { return 1e-9 * x * (x > capacity ? 1.3 : 1); };
  const auto smooth = [](double x) { return 1e-6 + 1e-9 * x; };
  int flagged = 0;
  for (std::uint64_t k = 0; k < 20; ++k) {
    const auto found = fit_one_factor(sizes, study(sizes, broken, Errors{.cell = 0.01}, k),
                                      BootstrapOptions{400, k});
    REQUIRE(found);
    CHECK(found->has_break());
    CHECK(found->strongest_break.from == Approx(sizes[3]));
    CHECK(found->strongest_break.to == Approx(sizes[4]));
    CHECK(std::exp(found->strongest_break.step) == Approx(1.3).epsilon(0.1));
    const auto none = fit_one_factor(sizes, study(sizes, smooth, Errors{.cell = 0.01}, k),
                                     BootstrapOptions{400, k});
    REQUIRE(none);
    flagged += none->has_break() ? 1 : 0;
  }
  CHECK(flagged <= 3);  // of 20 at 1 % each: more once in 20,000
}

TEST_CASE("one factor: exact laws and few sizes have no step", "[scaling][one_factor]") {
  for (const std::size_t count : {4U, 5U, 8U}) {
    const std::vector<double> sizes = geometric_sizes(count, 1e4, 2);
    const auto fit =
        fit_one_factor(sizes, study(sizes, [](double x) { return 1e-9 * x; }), kFewResamples);
    REQUIRE(fit);
    CHECK_FALSE(fit->has_break());
  }
}

TEST_CASE("one factor: a power law is not called x log x for want of points",
          "[scaling][one_factor]") {
  const std::vector<double> sizes = geometric_sizes(7, 1e4, 2);
  const auto time = [](double x) { return 1e-9 * std::pow(x, 1.09); };
  int power = 0;
  constexpr int kStudies = 50;
  for (std::uint64_t k = 0; k < kStudies; ++k) {
    const auto fit =
        fit_one_factor(sizes, study(sizes, time, Errors{.cell = 0.01, .scatter = 0.02}, k),
                       BootstrapOptions{100, 1});
    REQUIRE(fit);
    power += fit->law.kind == LawKind::kPower ? 1 : 0;
  }
  CHECK(power > kStudies / 2);
}

TEST_CASE("one factor: four sizes get a power law, five no overhead", "[scaling][one_factor]") {
  const auto candidates = [](std::size_t count) {
    const std::vector<double> sizes = geometric_sizes(count, 1e4, 2);
    const auto fit =
        fit_one_factor(sizes, study(sizes, [](double x) { return 1e-9 * x; }), kFewResamples);
    return fit->candidates;
  };
  REQUIRE(candidates(4).size() == 1);
  CHECK(candidates(4).front().kind == LawKind::kPower);
  CHECK(candidates(5).size() == 2);
  CHECK(candidates(6).size() == 3);
}

TEST_CASE("one factor: cells of nearly the same size are joined before a local slope is taken",
          "[scaling][one_factor]") {
  const std::vector<double> sizes{1e4, 1.01e4, 1e5, 1e6, 1e7};
  const auto fit =
      fit_one_factor(sizes,
                     study(
                         sizes, [](double x) { return 1e-9 * x; }, Errors{.scatter = 0.05}),
                     kFewResamples);
  REQUIRE(fit);
  CHECK(fit->local_slopes.size() == 3);
  CHECK(fit->local_slopes.front().from == Approx(std::sqrt(1e4 * 1.01e4)));
}

TEST_CASE("one factor: each kind of unusable input gets one clear error", "[scaling][one_factor]") {
  const std::vector<double> sizes = geometric_sizes(6, 1e4, 2);
  const std::vector<Observation> good = study(sizes, [](double x) { return 1e-9 * x; });
  const auto message = [](const std::vector<double>& at, const std::vector<Observation>& cells) {
    const auto fit = fit_one_factor(at, cells, kFewResamples);
    return fit ? std::string() : fit.error().message;
  };
  using Catch::Matchers::Contains;
  REQUIRE(message(sizes, good).empty());
  CHECK_THAT(message({1, 2, 3, 3, 2, 1}, good), Contains("found 3 distinct sizes"));
  CHECK_THAT(message({1, 2, 3, 4, 5, -6}, good), Contains("found size -6"));
  auto cells = good;
  cells[2].rounds[1] = std::numeric_limits<double>::quiet_NaN();
  CHECK_THAT(message(sizes, cells),
             Contains(good[2].name) && Contains("round 1") && Contains("found time nan"));
  cells = good;
  cells[3].rounds[0] = 0;
  CHECK_THAT(message(sizes, cells), Contains("found time 0"));
  cells = good;
  cells[4].rounds.pop_back();
  CHECK_THAT(message(sizes, cells), Contains("found 8 rounds, wanted 9"));
  for (Observation& cell : cells) {
    cell.rounds.clear();
  }
  CHECK_THAT(message(sizes, cells), Contains("no rounds"));
  CHECK_THROWS_AS(fit_one_factor({sizes.data(), 3}, good, kFewResamples), ContractViolation);
}

}  // namespace
}  // namespace interpscale::scaling
