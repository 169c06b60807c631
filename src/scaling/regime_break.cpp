// SPDX-License-Identifier: Apache-2.0
#include "scaling/regime_break.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

#include "interpscale/core/random.hpp"
#include "scaling/information_criterion.hpp"

namespace interpscale::scaling {
namespace {

constexpr std::size_t kEitherSide = 2;  // sizes; a step of one size is an outlier
constexpr std::size_t kNumbers = 4;     // of a power law with a step, its place included
constexpr std::uint64_t kBreakStream = 2;

/// A step between two neighbouring sizes, at once or spread over a few.
struct Place {
  double from;
  double to;
  std::vector<double> direction;  // [cells]: 0 before, 1 beyond, less its fit by a power law
  double squares;                 // of the direction
};

/// `values` less their straight line in log size.
void take_off_line(std::span<const double> log_sizes, std::span<double> values) {
  const auto m = static_cast<double>(values.size());
  const double u_mean = std::accumulate(log_sizes.begin(), log_sizes.end(), 0.0) / m;
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / m;
  double uu = 0;
  double uv = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    uu += (log_sizes[i] - u_mean) * (log_sizes[i] - u_mean);
    uv += (log_sizes[i] - u_mean) * (values[i] - mean);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] -= mean + uv / uu * (log_sizes[i] - u_mean);
  }
}

/// The step 1 / (1 + exp(-(u - centre) / width)), width 0: at once.
double step_at(double u, double centre, double width) {
  if (width == 0) {
    return u > centre ? 1 : 0;
  }
  return 1 / (1 + std::exp((centre - u) / width));
}

/// Steps at once, and spread ones: over half the distance of two sizes and over all of it, at
/// quarters of the way from one size to the next. A spread one lies where sizes on both sides show
/// it.
std::vector<Place> places(std::span<const double> log_sizes) {
  constexpr int kQuarters = 4;
  constexpr std::array<double, 2> kWidths{0.25, 0.5};
  std::vector<double> distinct(log_sizes.begin(), log_sizes.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<Place> result;
  const auto add = [&](double from, double to, double centre, double width) {
    Place place{std::exp(from), std::exp(to), std::vector<double>(log_sizes.size()), 0};
    std::transform(log_sizes.begin(), log_sizes.end(), place.direction.begin(),
                   [=](double u) { return step_at(u, centre, width); });
    take_off_line(log_sizes, place.direction);
    place.squares = std::inner_product(place.direction.begin(), place.direction.end(),
                                       place.direction.begin(), 0.0);
    result.push_back(std::move(place));
  };
  for (std::size_t k = kEitherSide; k + kEitherSide <= distinct.size(); ++k) {
    const double from = distinct[k - 1];
    const double to = distinct[k];
    add(from, to, (from + to) / 2, 0);
    for (int quarter = 0; quarter < kQuarters; ++quarter) {
      for (const double width : kWidths) {
        add(from, to, from + (to - from) * quarter / kQuarters, width * (to - from));
      }
    }
  }
  return result;
}

struct Step {
  std::size_t place = 0;
  double step = 0;
  double sum_of_squares = std::numeric_limits<double>::infinity();
};

/// The best step: SS = SS of the power law - (direction . y)^2 / squares.
Step best_step(const std::vector<Place>& all, std::span<const double> log_times,
               double power_squares) {
  Step best;
  for (std::size_t k = 0; k < all.size(); ++k) {
    const double product =
        std::inner_product(log_times.begin(), log_times.end(), all[k].direction.begin(), 0.0);
    const double squares = std::max(0.0, power_squares - product * product / all[k].squares);
    if (squares < best.sum_of_squares) {
      best = {k, product / all[k].squares, squares};
    }
  }
  return best;
}

/// What the best smooth law and the best step leave, one over the other.
struct Comparison {
  Step step;
  double share;
};

Comparison compare(const CandidateLaws& laws, std::span<const LogLaw> smooth,
                   const std::vector<Place>& all, std::span<const double> log_times) {
  double power = 0;
  double least = std::numeric_limits<double>::infinity();
  for (const LogLaw& candidate : smooth) {
    const double squares = laws.refit(log_times, candidate).sum_of_squares;
    power = candidate.kind == LawKind::kPower ? squares : power;
    least = std::min(least, squares);
  }
  const Step step = best_step(all, log_times, power);
  // No clock tells times apart below the floor: rounding errors are no step.
  const double floor = static_cast<double>(log_times.size()) * kResidualFloor * kResidualFloor;
  return {step, std::max(step.sum_of_squares, floor) / std::max(least, floor)};
}

}  // namespace

RegimeBreak strongest_break(const CandidateLaws& laws, std::span<const LogLaw> candidates,
                            std::span<const double> sizes, std::span<const double> log_times,
                            const BootstrapOptions& options) {
  constexpr int kPlain = 10;  // so many draws as extreme settle that p is not small
  std::vector<double> log_sizes(sizes.size());
  std::transform(sizes.begin(), sizes.end(), log_sizes.begin(),
                 [](double size) { return std::log(size); });
  const std::vector<Place> all = places(log_sizes);
  if (all.empty() || sizes.size() <= kNumbers) {
    return {};
  }
  const Comparison found = compare(laws, candidates, all, log_times);
  const LogLaw& chosen = candidates.front();
  const auto degrees = static_cast<double>(sizes.size() - numbers_of(chosen.kind));
  const double deviation = std::sqrt(chosen.sum_of_squares / degrees);
  const RandomStream stream(options.seed, kBreakStream);
  std::vector<double> drawn(sizes.size());
  int extreme = 0;
  int draws = 0;
  while (draws < options.resamples && extreme < kPlain) {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto index = static_cast<std::uint64_t>(draws) * sizes.size() + i;
      drawn[i] = laws.log_time(chosen, sizes[i]) + deviation * stream.normal(index);
    }
    extreme += compare(laws, candidates, all, drawn).share <= found.share ? 1 : 0;
    ++draws;
  }
  RegimeBreak result;
  result.from = all[found.step.place].from;
  result.to = all[found.step.place].to;
  result.step = found.step.step;
  result.p_value = extreme == kPlain ? static_cast<double>(extreme) / draws
                                     : static_cast<double>(extreme + 1) / (draws + 1);
  return result;
}

}  // namespace interpscale::scaling
