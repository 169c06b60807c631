// Holm's step-down procedure: many tests, one chance of 5 % that any of them cries wolf
// (Holm, "A simple sequentially rejective multiple test procedure", 1979).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

namespace interpscale::regression {

/// The level at which each p-value is tested: the k-th smallest of m at alpha / (m - k), k from 0,
/// and all that follow the first failure at the failure's level. p <= level: rejected.
[[nodiscard]] std::vector<double> holm_levels(std::span<const double> p_values, double alpha);

}  // namespace interpscale::regression
