// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>

#include "interpscale/core/parallel.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/scaling/one_factor.hpp"
#include "statistics/parts.hpp"

namespace interpscale::selftest {
namespace {

constexpr int kPart = 1;
constexpr double kFirstSize = 1e4;
constexpr double kDecades = 2;
constexpr std::size_t kSizes = 8;
constexpr double kLowestCoverage = 0.92;
constexpr double kHighestCoverage = 0.98;
constexpr double kLeastFlagged = 0.9;

struct Scenario {
  std::string name;
  double exponent;
  /// log time at a size; `place` in (0, 1) is the study's own, for what lies anywhere.
  std::function<double(double size, double place)> log_time;
  Noise noise;
  double highest = kHighestCoverage;
  bool breaks = false;
};

double log_power(double size) {
  return std::log(1e-9 * size);
}

/// Overhead of `share` of the smallest power.
auto with_overhead(double share) {
  return [share](double size, double) { return std::log(1e-9 * (size + share * kFirstSize)); };
}

/// `slower` times longer beyond a capacity that lies anywhere between the second size and the last
/// but one; half of that at the capacity, nearly all a factor `spread` beyond (0: at once).
auto with_break(double slower, double spread) {
  return [=](double size, double place) {
    const double step = kDecades / static_cast<double>(kSizes - 1);
    const double capacity =
        kFirstSize * std::pow(10.0, step * (1 + place * static_cast<double>(kSizes - 3)));
    const double beyond = std::log(size / capacity);
    const double share =
        spread == 0 ? (beyond > 0 ? 1 : 0) : 1 / (1 + std::exp(-3 * beyond / std::log(spread)));
    return log_power(size) + share * std::log(slower);
  };
}

std::vector<Scenario> scenarios() {
  const auto exact = [](double size, double) { return log_power(size); };
  return {
      {"exact law", 1, exact, {}},
      {"overhead, 3 % of the smallest", 1, with_overhead(0.03), {}},
      {"overhead, 10 % of the smallest", 1, with_overhead(0.1), {}},
      {"overhead, 30 % of the smallest", 1, with_overhead(0.3), {}},
      {"overhead, 100 % of the smallest", 1, with_overhead(1), {}},
      {"x log x",
       1,
       [](double size, double) { return log_power(size) + std::log(std::log(size)); },
       {},
       1},
      {"N^1.09, 2 % scatter (much like x log x)",
       1.09,
       [](double size, double) { return 1.09 * std::log(size); },
       {.scatter = 0.02}},
      {"heavy tails (t, 3 degrees)", 1, exact, {.heavy_tails = true}},
      {"heavy tails (10 % slowed, by 30 % in the mean)",
       1,
       exact,
       {.spike_probability = 0.1, .spike_mean = 0.3}},
      {"drift, 5 % from first round to last", 1, exact, {.drift = 0.05}},
      {"round effects, 5 %", 1, exact, {.round = 0.05}},
      {"scatter of the cells, 3 %", 1, exact, {.scatter = 0.03}},
      {"cache break, 50 % slower beyond it", 1, with_break(1.5, 0), {}, 1, true},
      {"cache break, 20 % slower beyond it", 1, with_break(1.2, 0), {}, 1, true},
      {"cache break, 50 % slower, spread over a factor of 2 about it",
       1,
       with_break(1.5, 2),
       {},
       1,
       true},
  };
}

struct Outcome {
  double exponent;
  scaling::Interval interval;
  bool flagged;
  scaling::LawKind kind;
};

Outcome run_study(const Scenario& scenario, int number, int study, const Options& options) {
  Draws draws(options.seed, stream_of(100 * kPart + number, study));
  const std::vector<double> sizes = geometric_sizes(kSizes, kFirstSize, kDecades);
  std::vector<scaling::Observation> cells = cells_of(sizes);
  const double place = draws.uniform();
  time_cells(
      cells,
      [&](const scaling::Observation& cell) { return scenario.log_time(cell.parameters, place); },
      scenario.noise, draws);
  const auto fit = scaling::fit_one_factor(
      sizes, cells, {options.resamples, stream_of(100 * kPart + number, study) ^ options.seed});
  require(fit.has_value(), "a simulated study can be fitted");
  return {fit->law.exponent, fit->exponent, fit->has_break(), fit->law.kind};
}

}  // namespace

Table one_factor_coverage(const Options& options) {
  Table table{
      "One factor: intervals and the flag for a break",
      fmt::format("{} studies a row, {} sizes over {:g} decades, 9 rounds, noise of 1 % in each "
                  "time besides what the row says. Wanted: coverage of 95 % intervals between {:g} "
                  "and {:g} % (of x log x, whose exponent is 1 by name, no less); where a cache "
                  "break defeats the law, the flag in at least {:g} %.",
                  options.studies, kSizes, kDecades, 100 * kLowestCoverage, 100 * kHighestCoverage,
                  100 * kLeastFlagged),
      {"scenario", "coverage", "mean half width", "rms error", "chosen: power, overhead, x log x",
       "break flagged"},
      {},
      {}};
  const std::vector<Scenario> all = scenarios();
  for (std::size_t s = 0; s < all.size(); ++s) {
    std::vector<Outcome> outcomes(static_cast<std::size_t>(options.studies));
    parallel_for(options.threads, outcomes.size(), [&](std::size_t k) {
      outcomes[k] = run_study(all[s], static_cast<int>(s), static_cast<int>(k), options);
    });
    double covered = 0, flagged = 0, half_widths = 0, squares = 0;
    std::array<double, 3> chosen{};
    for (const Outcome& outcome : outcomes) {
      const double error = outcome.exponent - all[s].exponent;
      covered += outcome.interval.contains(all[s].exponent) ? 1 : 0;
      flagged += outcome.flagged ? 1 : 0;
      half_widths += outcome.interval.half_width();
      squares += error * error;
      chosen[static_cast<std::size_t>(outcome.kind)] += 1;
    }
    const double count = options.studies;
    table.rows.push_back({all[s].name, fmt::format("{:.1f} %", 100 * covered / count),
                          fmt::format("{:.4f}", half_widths / count),
                          fmt::format("{:.4f}", std::sqrt(squares / count)),
                          fmt::format("{:.0f}, {:.0f}, {:.0f} %", 100 * chosen[0] / count,
                                      100 * chosen[1] / count, 100 * chosen[2] / count),
                          fmt::format("{:.1f} %", 100 * flagged / count)});
    const bool good =
        all[s].breaks ? within(flagged / count, kLeastFlagged, 1, options.studies)
                      : within(covered / count, kLowestCoverage, all[s].highest, options.studies);
    if (!good) {
      table.failures.push_back(all[s].name);
    }
  }
  return table;
}

}  // namespace interpscale::selftest
