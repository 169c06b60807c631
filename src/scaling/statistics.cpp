// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "interpscale/core/require.hpp"
#include "interpscale/scaling/observation.hpp"

namespace interpscale::scaling {
namespace {

/// 1 / (0.75 quantile of the standard normal).
constexpr double kNormalConsistency = 1.4826022185056018;

}  // namespace

double median(std::vector<double> values) {
  require(!values.empty(), "median of no values");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) {
    return *middle;
  }
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

double mad(const std::vector<double>& values) {
  const double centre = median(values);
  std::vector<double> deviations(values.size());
  std::transform(values.begin(), values.end(), deviations.begin(),
                 [centre](double value) { return std::abs(value - centre); });
  return kNormalConsistency * median(std::move(deviations));
}

double quantile(std::vector<double> values, double probability) {
  std::sort(values.begin(), values.end());
  return quantile_of_sorted(values, probability);
}

double quantile_of_sorted(const std::vector<double>& sorted, double probability) {
  require(!sorted.empty(), "quantile of no values");
  require(probability >= 0 && probability <= 1, "a probability outside [0, 1]");
  const double position = probability * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double fraction = position - static_cast<double>(below);
  return sorted[below] + fraction * (sorted[above] - sorted[below]);
}

}  // namespace interpscale::scaling
