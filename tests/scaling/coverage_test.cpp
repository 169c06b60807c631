// Intervals are promises about many studies: seeded simulations count how many keep them.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <functional>

#include "interpscale/scaling/one_factor.hpp"
#include "interpscale/scaling/ratio.hpp"
#include "interpscale/scaling/two_factor.hpp"
#include "scaling/synthetic.hpp"
#include "support/catch.hpp"

namespace interpscale::scaling {
namespace {

using synthetic::Errors;

constexpr int kStudies = 300;
constexpr int kResamples = 400;

struct Estimate {
  double value;
  Interval interval;
};

/// Over `kStudies` studies: covered at least as often as 19 times in 20 allows, and no more than
/// twice as wide as a t interval of 4 degrees (2.78 standard errors) would be.
void check_coverage(double truth, const std::function<Estimate(std::uint64_t)>& estimate) {
  int covered = 0;
  double squares = 0;
  double half_widths = 0;
  for (int k = 0; k < kStudies; ++k) {
    const Estimate each = estimate(static_cast<std::uint64_t>(k));
    covered += each.interval.contains(truth) ? 1 : 0;
    squares += (each.value - truth) * (each.value - truth);
    half_widths += each.interval.half_width();
  }
  CAPTURE(covered, kStudies, half_widths / kStudies, std::sqrt(squares / kStudies));
  // An interval of true coverage 95 % has so few successes once in a thousand such tests.
  CHECK(synthetic::binomial_cdf(covered, kStudies, 0.95) > 1e-3);
  CHECK(half_widths / kStudies < 2 * 2.78 * std::sqrt(squares / kStudies));
}

Estimate one_factor(const std::function<double(double)>& time, const Errors& errors,
                    std::uint64_t stream) {
  const std::vector<double> sizes = synthetic::geometric_sizes(8, 1e4, 2);
  const auto fit = fit_one_factor(sizes, synthetic::study(sizes, time, errors, stream),
                                  BootstrapOptions{kResamples, stream});
  REQUIRE(fit);
  return {fit->law.exponent, fit->exponent};
}

TEST_CASE("coverage: one factor, power law", "[scaling][coverage]") {
  const auto linear = [](double x) { return 1e-9 * x; };
  const auto errors = GENERATE(
      Errors{.cell = 0.01}, Errors{.cell = 0.01, .rounds = 5}, Errors{.cell = 0.01, .round = 0.05},
      Errors{.cell = 0.01, .scatter = 0.03}, Errors{.cell = 0.001, .scatter = 0.03, .rounds = 1});
  CAPTURE(errors.round, errors.scatter, errors.rounds);
  check_coverage(1, [&](std::uint64_t k) { return one_factor(linear, errors, k); });
}

TEST_CASE("coverage: one factor, overhead of 10 and of 50 % at the smallest size",
          "[scaling][coverage]") {
  const double share = GENERATE(0.1, 0.5);
  CAPTURE(share);
  const auto time = [share](double x) { return 1e-9 * x + share / (1 - share) * 1e-5; };
  check_coverage(1, [&](std::uint64_t k) { return one_factor(time, Errors{.cell = 0.01}, k); });
}

TEST_CASE("coverage: one factor, a power law that looks like x log x", "[scaling][coverage]") {
  const auto time = [](double x) { return 1e-9 * std::pow(x, 1.09); };
  check_coverage(1.09, [&](std::uint64_t k) {
    return one_factor(time, Errors{.cell = 0.01, .scatter = 0.02}, k);
  });
}

TEST_CASE("coverage: two factors", "[scaling][coverage]") {
  const auto errors = GENERATE(
      Errors{.cell = 0.01}, Errors{.cell = 0.01, .rounds = 5}, Errors{.cell = 0.01, .round = 0.05},
      Errors{.cell = 0.01, .scatter = 0.03}, Errors{.scatter = 0.03, .rounds = 1});
  CAPTURE(errors.round, errors.scatter, errors.rounds);
  check_coverage(0.3, [&](std::uint64_t k) {
    std::vector<Observation> cells = synthetic::slanted_design();
    synthetic::Draws draws(17, k);
    synthetic::time_cells(
        cells,
        [](const Observation& cell) {
          return 1e-9 * std::pow(cell.parameters, 0.8) * std::pow(cell.neurons, 0.3);
        },
        errors, draws);
    const auto fit = fit_two_factors(cells, false, BootstrapOptions{kResamples, k});
    REQUIRE(fit);
    const auto exponent = fit->of("n");
    REQUIRE(exponent);
    return Estimate{exponent->value, exponent->interval};
  });
}

TEST_CASE("coverage: the exponent of a ratio, and the ratio at the reference",
          "[scaling][coverage]") {
  const std::vector<double> sizes = synthetic::geometric_sizes(8, 1e4, 2);
  const auto errors = GENERATE(Errors{.cell = 0.01, .round = 0.02},
                               Errors{.cell = 0.01, .scatter = 0.02, .rounds = 5});
  CAPTURE(errors.round, errors.scatter, errors.rounds);
  const auto law = [&](std::uint64_t k) {
    const auto above = synthetic::study(
        sizes, [](double x) { return 1e-8 * std::pow(x, 1.2); }, errors, 2 * k);
    const auto below = synthetic::study(
        sizes, [](double x) { return 1e-9 * x; }, errors, 2 * k + 1);
    const auto fit = fit_ratio(sizes, above, below, 1e5, 0.01, BootstrapOptions{kResamples, k});
    REQUIRE(fit);
    return *fit;
  };
  check_coverage(0.2, [&](std::uint64_t k) { return Estimate{law(k).exponent, law(k).interval}; });
  check_coverage(std::log(100), [&](std::uint64_t k) {
    const RatioLaw fit = law(k);
    return Estimate{
        std::log(fit.at_reference),
        {std::log(fit.at_reference_interval.low), std::log(fit.at_reference_interval.high)}};
  });
}

}  // namespace
}  // namespace interpscale::scaling
