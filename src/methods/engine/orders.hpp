// The random orders that sampled Shapley values walk through, and what the sample says: the mean
// of the marginal contributions and its standard error.
// Source: Castro et al., "Polynomial calculation of the Shapley value based on sampling", Computers
// & Operations Research 36, 2009; antithetic orders: Mitchell et al., "Sampling permutations for
// Shapley value estimation", JMLR 23, 2022.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "interpscale/core/matrix.hpp"
#include "interpscale/methods/probe.hpp"

namespace interpscale::methods::engine {

/// T orders of one layer's units. Where T is even and at least 4, orders 2 u and 2 u + 1 are each
/// other's reverse: in what depends on how early a unit comes, their errors cancel. A draw is what
/// is independent: a pair of orders, or one.
class Orders {
 public:
  Orders(const MethodOptions& options, std::size_t layer);

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t orders_in_a_draw() const { return antithetic_ ? 2 : 1; }
  [[nodiscard]] std::size_t draws() const { return count_ / orders_in_a_draw(); }
  [[nodiscard]] std::size_t draw_of(std::size_t order) const { return order / orders_in_a_draw(); }

  /// order[0], order[1], ... := the units 0 ... order.size() - 1 as order `t` has them. A pure
  /// function of the options' seed, the layer and t.
  void write(std::size_t t, std::span<std::uint32_t> order) const;

 private:
  std::uint64_t seed_;
  std::uint64_t layer_;
  std::size_t count_;
  bool antithetic_;
};

struct SampleMean {
  double value = 0;
  double standard_error = 0;  ///< of the value; infinite where there is one draw
};

/// Of column `j` of marginals [draws, units], each row the mean of a draw.
[[nodiscard]] SampleMean mean_of_draws(MatrixView<const double> marginals, std::size_t j);

}  // namespace interpscale::methods::engine
