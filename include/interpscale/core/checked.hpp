// Extents are std::size_t; their products are checked, because a shape may come from a file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "interpscale/core/require.hpp"

namespace interpscale {

/// True if a * b does not fit; otherwise the product is in `*product`.
[[nodiscard]] inline bool multiply_overflows(std::size_t a, std::size_t b, std::size_t* product) {
  return __builtin_mul_overflow(a, b, product);
}

/// a * b; an overflow is a contract violation (check input with `multiply_overflows` first).
[[nodiscard]] inline std::size_t checked_product(std::size_t a, std::size_t b) {
  std::size_t product = 0;
  require(!multiply_overflows(a, b, &product), "a product of extents overflows std::size_t");
  return product;
}

/// `value` rounded up to a multiple of `step` (step > 0).
[[nodiscard]] constexpr std::size_t round_up(std::size_t value, std::size_t step) {
  return (value + step - 1) / step * step;
}

}  // namespace interpscale
