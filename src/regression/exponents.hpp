// Does a time grow with N as it did? A changed exponent is a changed algorithm.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "interpscale/regression/compare.hpp"
#include "regression/log_ratio.hpp"

namespace interpscale::regression {

/// One cell's ratio with the size it was measured at.
struct SizedRatio {
  std::string name;
  double parameters = 0;  ///< N; 0: unknown, the cell belongs to no family
  double base = 0;        ///< time of the base
  LogRatio ratio;
};

/// What a cell's name says besides its width and what is so by default (ten classes, one thread,
/// the simd backend): "method/zero_ablation/fast d:784 L:2 B:128" of
/// "method/zero_ablation/fast/d:784/w:64/L:2/C:10/B:128/t:1/backend:simd".
[[nodiscard]] std::string family_of(const std::string& name);

/// Per family of three distinct sizes or more, in the order of the cells: the least-squares slope
/// of the log ratio in log N is a fixed combination of the cells' means, hence its variance
/// (degrees of freedom by Satterthwaite); Holm over families.
[[nodiscard]] std::vector<ExponentComparison> compare_exponents(std::span<const SizedRatio> cells);

}  // namespace interpscale::regression
