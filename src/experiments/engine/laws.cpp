// SPDX-License-Identifier: Apache-2.0
#include "experiments/engine/laws.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>

#include "interpscale/scaling/ratio.hpp"
#include "interpscale/scaling/student_t.hpp"

namespace interpscale::experiments {
namespace {

constexpr double kUpperTail = 0.975;
constexpr std::size_t kFewestSizes = 4;
/// The band within which a ratio counts as constant; only the exponent is asked for here.
constexpr double kConstantWithin = 0.05;

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
                                             std::string_view figure) {
  std::map<std::uint64_t, std::vector<double>> by_size;
  for (const Outcome* outcome : outcomes) {
    const std::optional<double> value = outcome->figure(figure);
    if (value && *value > 0) {
      by_size[outcome->parameters].push_back(*value);
    }
  }
  if (by_size.size() < kFewestSizes) {
    return std::nullopt;
  }
  std::size_t repeats = by_size.begin()->second.size();
  for (const auto& [size, values] : by_size) {
    repeats = std::min(repeats, values.size());
  }
  std::vector<double> sizes;
  std::vector<scaling::Observation> values;
  std::vector<scaling::Observation> ones;
  for (auto& [size, repeated] : by_size) {
    repeated.resize(repeats);
    scaling::Observation observation;
    observation.name = fmt::format("{} parameters", size);
    observation.parameters = static_cast<double>(size);
    observation.neurons = 1;
    observation.rounds = repeated;
    sizes.push_back(observation.parameters);
    values.push_back(observation);
    observation.rounds.assign(repeats, 1.0);
    ones.push_back(observation);
  }
  const auto fit = scaling::fit_ratio(sizes, values, ones, sizes.back(), kConstantWithin, {});
  return fit ? std::optional<Figure>(Figure{fit->exponent, fit->interval}) : std::nullopt;
}

}  // namespace interpscale::experiments
