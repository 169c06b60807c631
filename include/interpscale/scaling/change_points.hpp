// Where a series changed for good: E-divisive (Matteson and James, "A nonparametric approach for
// multiple change point analysis of multivariate data", JASA 2014), for one-dimensional series.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace interpscale::scaling {

struct ChangePointOptions {
  double significance = 0.01;     ///< a split is kept if its p-value is at most this
  int permutations = 499;         ///< of each test; the smallest p-value is 1 / (this + 1)
  std::size_t shortest = 4;       ///< values between two changes, 2 at least
  std::uint64_t seed = 20261124;  ///< of the permutations: the same series, the same answer
};

struct ChangePoint {
  std::size_t index = 0;  ///< the first value after the change
  double p_value = 1;
  double before = 0;  ///< median of the segment that ends here
  double after = 0;   ///< median of the segment that begins here
};

/// The series is split, again and again, where the energy distance between the two sides of a
/// segment,
///     Q = m k / (m + k) (2 mean |x - y| - mean |x - x'| - mean |y - y'|),
/// is largest over all segments; a split is kept as long as shuffling the values inside the
/// segments reaches its Q in no more than a share `significance` of the permutations. Ascending by
/// index; none where the series is shorter than twice `shortest`. Any distribution with a finite
/// mean: single outliers are no change. O(length^2) time a permutation.
[[nodiscard]] std::vector<ChangePoint> change_points(std::span<const double> series,
                                                     const ChangePointOptions& options);

}  // namespace interpscale::scaling
