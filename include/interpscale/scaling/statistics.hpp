// Order statistics of small samples. (`median` stands in observation.hpp, beside its main user.)
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace interpscale::scaling {

/// Median absolute deviation from the median, times 1.4826 (the standard deviation where the values
/// are normal). Values must not be empty.
[[nodiscard]] double mad(const std::vector<double>& values);

/// The `probability` quantile, 0 <= probability <= 1, interpolating linearly between order
/// statistics (Hyndman and Fan 1996, definition 7). Values must not be empty.
[[nodiscard]] double quantile(std::vector<double> values, double probability);

/// The same of values already in ascending order, without a copy.
[[nodiscard]] double quantile_of_sorted(const std::vector<double>& sorted, double probability);

}  // namespace interpscale::scaling
