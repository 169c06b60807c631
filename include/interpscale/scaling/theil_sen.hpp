// A slope that a third of the points cannot spoil: the median of all pairwise slopes (Theil 1950,
// Sen 1968).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace interpscale::scaling {

/// median over i < j with x_i != x_j of (y_j - y_i) / (x_j - x_i); two distinct x at least.
/// O(m^2) time and memory.
[[nodiscard]] double theil_sen_slope(std::span<const double> x, std::span<const double> y);

}  // namespace interpscale::scaling
