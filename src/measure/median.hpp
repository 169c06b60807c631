// The median of a few numbers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "interpscale/core/require.hpp"

namespace interpscale::measure {

/// Of an even number of values, the mean of the middle two.
[[nodiscard]] inline double median_of(std::vector<double> values) {
  require(!values.empty(), "median of nothing");
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

}  // namespace interpscale::measure
