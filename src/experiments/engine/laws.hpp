// Figures over networks and seeds: means with intervals, and power laws in N.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "interpscale/experiments/figure.hpp"
#include "interpscale/experiments/outcome.hpp"

namespace interpscale::experiments {

/// Mean of at least two values with Student's 95 % interval; none of fewer.
[[nodiscard]] std::optional<Figure> mean_of(const std::vector<double>& values);

/// The geometric mean of positive values, its interval that of their logarithms.
[[nodiscard]] std::optional<Figure> geometric_mean_of(const std::vector<double>& values);

/// Exponent in N of a positive figure: seeds are repeats; at least four sizes with as many seeds
/// each, or none.
[[nodiscard]] std::optional<Figure> exponent_in_parameters(
    const std::vector<const Outcome*>& outcomes, std::string_view figure);

}  // namespace interpscale::experiments
