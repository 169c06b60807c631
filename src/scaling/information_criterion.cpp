// SPDX-License-Identifier: Apache-2.0
#include "scaling/information_criterion.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace interpscale::scaling {

double akaike(double sum_of_squares, std::size_t points, std::size_t parameters) {
  const auto m = static_cast<double>(points);
  const double variance = std::max(sum_of_squares / m, kResidualFloor * kResidualFloor);
  return m * std::log(variance) + 2 * static_cast<double>(parameters);
}

double corrected_akaike(double sum_of_squares, std::size_t points, std::size_t parameters) {
  const double criterion = akaike(sum_of_squares, points, parameters);
  if (!enough_points(points, parameters)) {
    return criterion;
  }
  const auto k = static_cast<double>(parameters);
  return criterion + 2 * k * (k + 1) / (static_cast<double>(points) - k - 1);
}

std::vector<double> akaike_weights(std::span<const double> criteria) {
  std::vector<double> weights(criteria.size());
  if (criteria.empty()) {
    return weights;
  }
  const double least = *std::min_element(criteria.begin(), criteria.end());
  std::transform(criteria.begin(), criteria.end(), weights.begin(),
                 [least](double criterion) { return std::exp((least - criterion) / 2); });
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) {
    weight /= sum;
  }
  return weights;
}

}  // namespace interpscale::scaling
