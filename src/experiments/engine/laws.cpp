// SPDX-License-Identifier: Apache-2.0
#include "experiments/engine/laws.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>

#include "interpscale/experiments/rules.hpp"
#include "interpscale/scaling/ratio.hpp"
#include "interpscale/scaling/student_t.hpp"
#include "interpscale/scaling/two_factor.hpp"

namespace interpscale::experiments {
namespace {

constexpr double kUpperTail = 0.975;
constexpr std::size_t kFewestSizes = 4;
/// The band within which a ratio counts as constant; only the exponent is asked for here.
constexpr double kConstantWithin = 0.05;

/// What is fitted: every size with its repeats. `over` empty: ones.
struct Repeats {
  std::vector<double> figure;
  std::vector<double> over;
};

std::map<std::uint64_t, Repeats> repeats_by_size(std::uint64_t Outcome::*size,
                                                 const std::vector<const Outcome*>& outcomes,
                                                 std::string_view figure, std::string_view over) {
  std::map<std::uint64_t, Repeats> by_size;
  for (const Outcome* outcome : outcomes) {
    const double value = outcome->figure(figure).value_or(0);
    const double below = over.empty() ? 1.0 : outcome->figure(over).value_or(0);
    if (value > 0 && below > 0) {
      by_size[outcome->*size].figure.push_back(value);
      by_size[outcome->*size].over.push_back(below);
    }
  }
  return by_size;
}

std::optional<Figure> exponent_in(std::uint64_t Outcome::*size,
                                  const std::vector<const Outcome*>& outcomes,
                                  std::string_view figure, std::string_view over) {
  std::map<std::uint64_t, Repeats> by_size = repeats_by_size(size, outcomes, figure, over);
  if (by_size.size() < kFewestSizes) {
    return std::nullopt;
  }
  std::size_t repeats = by_size.begin()->second.figure.size();
  for (const auto& [extent, repeated] : by_size) {
    repeats = std::min(repeats, repeated.figure.size());
  }
  std::vector<double> sizes;
  std::vector<scaling::Observation> numerator;
  std::vector<scaling::Observation> denominator;
  for (auto& [extent, repeated] : by_size) {
    repeated.figure.resize(repeats);
    repeated.over.resize(repeats);
    scaling::Observation observation;
    observation.name = fmt::format("size {}", extent);
    observation.parameters = static_cast<double>(extent);
    observation.neurons = 1;
    observation.rounds = repeated.figure;
    sizes.push_back(observation.parameters);
    numerator.push_back(observation);
    observation.rounds = repeated.over;
    denominator.push_back(observation);
  }
  const auto fit =
      scaling::fit_ratio(sizes, numerator, denominator, sizes.back(), kConstantWithin, {});
  return fit ? std::optional<Figure>(Figure{fit->exponent, fit->interval}) : std::nullopt;
}

}  // namespace

std::optional<Figure> mean_of(const std::vector<double>& values) {
  if (values.size() < 2) {
    return std::nullopt;
  }
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  const double half =
      scaling::student_t_quantile(kUpperTail, count - 1) * std::sqrt(squares / (count - 1) / count);
  return Figure{mean, {mean - half, mean + half}};
}

std::optional<Figure> geometric_mean_of(const std::vector<double>& values) {
  std::vector<double> logs;
  for (const double value : values) {
    if (!(value > 0)) {
      return std::nullopt;
    }
    logs.push_back(std::log(value));
  }
  const std::optional<Figure> mean = mean_of(logs);
  if (!mean) {
    return std::nullopt;
  }
  return Figure{std::exp(mean->value),
                {std::exp(mean->interval.low), std::exp(mean->interval.high)}};
}

std::optional<Figure> exponent_in_parameters(const std::vector<const Outcome*>& outcomes,
                                             std::string_view figure, std::string_view over) {
  return exponent_in(&Outcome::parameters, outcomes, figure, over);
}

std::optional<Figure> exponent_in_neurons(const std::vector<const Outcome*>& outcomes,
                                          std::string_view figure, std::string_view over) {
  return exponent_in(&Outcome::neurons, outcomes, figure, over);
}

std::string described(const Figure& figure) {
  return fmt::format("{:.2f} [{:.2f}, {:.2f}]", figure.value, figure.interval.low,
                     figure.interval.high);
}

std::string cost_law(const std::vector<const Outcome*>& outcomes, std::string_view seconds,
                     std::string_view what) {
  const std::optional<Figure> parameters = exponent_in_parameters(outcomes, seconds);
  const std::optional<Figure> neurons = exponent_in_neurons(outcomes, seconds);
  const std::optional<Figure> tax = exponent_in_parameters(outcomes, seconds, "step_seconds");
  if (!parameters || !neurons || !tax) {
    return {};
  }
  return fmt::format("; {} takes time ~ N^{} or n^{}, over that of a training step ~ N^{}", what,
                     described(*parameters), described(*neurons), described(*tax));
}

std::string joint_law(const std::vector<const Outcome*>& outcomes, std::string_view figure) {
  std::map<std::string, scaling::Observation> cells;
  for (const Outcome* outcome : outcomes) {
    const double value = outcome->figure(figure).value_or(0);
    if (value > 0) {
      scaling::Observation& cell = cells[outcome->topology];
      cell.name = outcome->topology;
      cell.parameters = static_cast<double>(outcome->parameters);
      cell.neurons = static_cast<double>(outcome->neurons);
      cell.rounds.push_back(value);
    }
  }
  std::size_t repeats = std::numeric_limits<std::size_t>::max();
  for (const auto& [name, cell] : cells) {
    repeats = std::min(repeats, cell.rounds.size());
  }
  std::vector<scaling::Observation> observations;
  for (auto& [name, cell] : cells) {
    cell.rounds.resize(repeats);
    observations.push_back(cell);
  }
  if (observations.size() < kFewestSizes) {
    return {};
  }
  const auto fit = scaling::fit_two_factors(observations, false, {});
  if (!fit || !fit->identifiability.identified) {
    return fmt::format(", a joint law in N and n is not identified ({})",
                       fit ? fit->identifiability.reason : fit.error().message);
  }
  const auto parameters = fit->of("N");
  const auto neurons = fit->of("n");
  return fmt::format(", as a joint law N^{} n^{}",
                     described({parameters->value, parameters->interval}),
                     described({neurons->value, neurons->interval}));
}

std::vector<const Outcome*> shallowest(const std::vector<const Outcome*>& outcomes) {
  double least = std::numeric_limits<double>::infinity();
  for (const Outcome* outcome : outcomes) {
    least = std::min(least, outcome->figure("depth").value_or(0));
  }
  std::vector<const Outcome*> result;
  std::ranges::copy_if(outcomes, std::back_inserter(result), [&](const Outcome* outcome) {
    return outcome->figure("depth").value_or(0) <= least;
  });
  return result;
}

std::optional<Figure> mean_of_figure(const std::vector<const Outcome*>& outcomes,
                                     std::string_view figure) {
  std::vector<double> values;
  for (const Outcome* outcome : outcomes) {
    if (const std::optional<double> value = outcome->figure(figure)) {
      values.push_back(*value);
    }
  }
  return mean_of(values);
}

Verdict judge_below(const scaling::Interval& interval, double level) {
  return judge_side({-interval.high, -interval.low}, -level);
}

}  // namespace interpscale::experiments
