// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "interpscale/core/parallel.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/scaling/ratio.hpp"
#include "interpscale/scaling/two_factor.hpp"
#include "statistics/parts.hpp"

namespace interpscale::selftest {
namespace {

constexpr int kPart = 4;
constexpr double kLowestCoverage = 0.92;
constexpr double kHighestCoverage = 0.98;
const Noise kNoise{.cell = 0.01, .round = 0.02, .scatter = 0.02};
/// How efficiency changes with size: it adds to the exponent that theory has.
constexpr double kEfficiency = 0.05;

/// Declared FLOPs that are no power of N and n: terms in N, in n and a constant.
double declared(const scaling::Observation& cell) {
  return cell.parameters + 40 * cell.neurons + 2e4;
}

enum class Declared { kTheirs, kNothing, kOthers };

struct Estimate {
  double error;
  double half_width;
  bool covered;
};

Estimate estimate(double value, const scaling::Interval& interval, double truth) {
  return {value - truth, interval.half_width(), interval.contains(truth)};
}

/// The exponent of N in `log_time` without noise, by the very fit: what the interval is to hold.
template <class Fit>
double exact(std::vector<scaling::Observation> cells, const LogTime& log_time, const Fit& fit) {
  Draws draws(0, 0);
  time_cells(cells, log_time, {.cell = 0, .rounds = 1}, draws);
  return fit(cells).first;
}

using ExponentAndInterval = std::pair<double, scaling::Interval>;

void declare(std::vector<scaling::Observation>& cells, Declared what) {
  for (scaling::Observation& cell : cells) {
    cell.expected = what == Declared::kNothing ? 0 : declared(cell);
  }
}

LogTime time_of(Declared what) {
  return [what](const scaling::Observation& cell) {
    const double flops = what == Declared::kOthers ? cell.parameters : declared(cell);
    return std::log(1e-10 * flops) + kEfficiency * std::log(cell.parameters);
  };
}

Estimate two_factor_study(Declared what, std::uint64_t stream, const Options& options) {
  std::vector<scaling::Observation> cells = slanted_design();
  declare(cells, what);
  const auto fit = [&](const std::vector<scaling::Observation>& timed) -> ExponentAndInterval {
    const auto found = scaling::fit_two_factors(timed, false, {options.resamples, stream});
    require(found.has_value() && found->of("N").has_value(), "the design identifies N");
    return {found->of("N")->value, found->of("N")->interval};
  };
  const double truth = exact(cells, time_of(what), fit);
  Draws draws(options.seed, stream);
  time_cells(cells, time_of(what), kNoise, draws);
  const auto [value, interval] = fit(cells);
  return estimate(value, interval, truth);
}

Estimate ratio_study(Declared what, std::uint64_t stream, const Options& options) {
  const std::vector<double> sizes = geometric_sizes(8, 1e4, 2);
  std::vector<scaling::Observation> numerator = cells_of(sizes);
  for (scaling::Observation& cell : numerator) {
    cell.neurons = 4 * std::sqrt(cell.parameters);
  }
  declare(numerator, what);
  std::vector<scaling::Observation> denominator = cells_of(sizes);
  for (scaling::Observation& cell : denominator) {
    cell.expected = cell.parameters;
  }
  const LogTime below = [](const scaling::Observation& cell) {
    return std::log(1e-10 * cell.parameters);
  };
  const auto fit = [&](const std::vector<scaling::Observation>& timed) -> ExponentAndInterval {
    const auto law =
        scaling::fit_ratio(sizes, timed, denominator, 1e5, 0.05, {options.resamples, stream});
    require(law.has_value(), "a simulated tax can be fitted");
    return {law->exponent, law->interval};
  };
  Draws none(0, 0);
  time_cells(denominator, below, {.cell = 0, .rounds = 1}, none);
  const double truth = exact(numerator, time_of(what), fit);
  Draws draws(options.seed, stream);
  time_cells(numerator, time_of(what), kNoise, draws);
  time_cells(denominator, below, kNoise, draws);
  const auto [value, interval] = fit(numerator);
  return estimate(value, interval, truth);
}

struct Row {
  const char* fit;
  const char* what_is_declared;
  Declared declared;
  Estimate (*study)(Declared, std::uint64_t, const Options&);
};

constexpr Row kRows[] = {
    {"exponent of N beside n", "what the times follow", Declared::kTheirs, two_factor_study},
    {"exponent of N beside n", "nothing", Declared::kNothing, two_factor_study},
    {"exponent of N beside n", "another law than the times'", Declared::kOthers, two_factor_study},
    {"exponent of a tax", "what the times follow", Declared::kTheirs, ratio_study},
    {"exponent of a tax", "nothing", Declared::kNothing, ratio_study},
    {"exponent of a tax", "another law than the times'", Declared::kOthers, ratio_study},
};

}  // namespace

Table shared_misfit_coverage(const Options& options) {
  Table table{
      "Misfit that the declared FLOPs share",
      fmt::format(
          "{} studies a row; times of FLOPs that are no power law (N + 40 n + 20,000), an "
          "efficiency "
          "that adds {:g} to the exponent of N, noise of 1 % in each time, 2 % in each round, 2 % "
          "scatter of the cells. What intervals are to hold is the exponent that the same fit "
          "gives "
          "the times without noise. Wanted: coverage between {:g} and {:g} % where the declared "
          "FLOPs are those that the times follow; otherwise no less, as misfit that theory does "
          "not "
          "share counts as uncertainty.",
          options.studies, kEfficiency, 100 * kLowestCoverage, 100 * kHighestCoverage),
      {"what", "declared", "coverage", "mean half width", "rms error"},
      {},
      {}};
  int number = 0;
  for (const Row& row : kRows) {
    std::vector<Estimate> estimates(static_cast<std::size_t>(options.studies));
    parallel_for(options.threads, estimates.size(), [&](std::size_t k) {
      estimates[k] =
          row.study(row.declared, stream_of(100 * kPart + number, static_cast<int>(k)), options);
    });
    double covered = 0, half_widths = 0, squares = 0;
    for (const Estimate& each : estimates) {
      covered += each.covered ? 1 : 0;
      half_widths += each.half_width;
      squares += each.error * each.error;
    }
    const double count = options.studies;
    table.rows.push_back({row.fit, row.what_is_declared,
                          fmt::format("{:.1f} %", 100 * covered / count),
                          fmt::format("{:.4f}", half_widths / count),
                          fmt::format("{:.4f}", std::sqrt(squares / count))});
    const double highest = row.declared == Declared::kTheirs ? kHighestCoverage : 1;
    if (!within(covered / count, kLowestCoverage, highest, options.studies)) {
      table.failures.push_back(fmt::format("{}, {} declared", row.fit, row.what_is_declared));
    }
    ++number;
  }
  return table;
}

}  // namespace interpscale::selftest
