// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/theil_sen.hpp"

#include <cstddef>
#include <utility>
#include <vector>

#include "interpscale/core/require.hpp"
#include "interpscale/scaling/observation.hpp"

namespace interpscale::scaling {

double theil_sen_slope(std::span<const double> x, std::span<const double> y) {
  require(x.size() == y.size(), "Theil-Sen: as many x as y");
  std::vector<double> slopes;
  slopes.reserve(x.size() * x.size() / 2);
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      if (x[i] != x[j]) {
        slopes.push_back((y[j] - y[i]) / (x[j] - x[i]));
      }
    }
  }
  require(!slopes.empty(), "Theil-Sen: two distinct x at least");
  return median(std::move(slopes));
}

}  // namespace interpscale::scaling
