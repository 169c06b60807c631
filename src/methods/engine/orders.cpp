// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/orders.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "interpscale/core/random.hpp"

namespace interpscale::methods::engine {
namespace {

std::size_t orders_of(const MethodOptions& options) {
  require(options.permutations >= 1, "Shapley values need at least one permutation");
  return static_cast<std::size_t>(options.permutations);
}

}  // namespace

Orders::Orders(const MethodOptions& options, std::size_t layer)
    : seed_(options.seed),
      layer_(layer),
      count_(orders_of(options)),
      antithetic_(count_ % 2 == 0 && count_ >= 4) {}

void Orders::write(std::size_t t, std::span<std::uint32_t> order) const {
  const RandomStream random(seed_, (layer_ << 32U) + draw_of(t));
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  for (std::size_t i = order.size(); i-- > 1;) {
    std::swap(order[i], order[random.below(i, i + 1)]);
  }
  if (antithetic_ && t % 2 == 1) {
    std::reverse(order.begin(), order.end());
  }
}

SampleMean mean_of_draws(MatrixView<const double> marginals, std::size_t j) {
  const auto draws = static_cast<double>(marginals.rows());
  double sum = 0.0;
  for (std::size_t u = 0; u < marginals.rows(); ++u) {
    sum += marginals(u, j);
  }
  const double mean = sum / draws;
  if (marginals.rows() < 2) {
    return {mean, std::numeric_limits<double>::infinity()};
  }
  double squares = 0.0;
  for (std::size_t u = 0; u < marginals.rows(); ++u) {
    squares += (marginals(u, j) - mean) * (marginals(u, j) - mean);
  }
  return {mean, std::sqrt(squares / (draws * (draws - 1.0)))};
}

}  // namespace interpscale::methods::engine
