// SPDX-License-Identifier: Apache-2.0
#include "regression/holm.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace interpscale::regression {

std::vector<double> holm_levels(std::span<const double> p_values, double alpha) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [p_values](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> levels(p_values.size());
  bool failed = false;
  double level = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    if (!failed) {
      level = alpha / static_cast<double>(order.size() - k);
      failed = p_values[order[k]] > level;
    }
    levels[order[k]] = level;
  }
  return levels;
}

}  // namespace interpscale::regression
