// Akaike's criterion with the correction for few points (Hurvich and Tsai 1989), and the weights of
// a set of candidates (Burnham and Anderson 2002, section 2.9).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace interpscale::scaling {

/// No clock tells times apart below this, so no law wins by rounding errors.
inline constexpr double kResidualFloor = 1e-8;

/// True where `points` suffice for the correction: points - parameters - 1 > 0. The variance of the
/// residuals counts as a parameter.
[[nodiscard]] constexpr bool enough_points(std::size_t points, std::size_t parameters) {
  return points > parameters + 1;
}

/// AIC: m log(SS / m) + 2 k, SS at least m `kResidualFloor`^2.
[[nodiscard]] double akaike(double sum_of_squares, std::size_t points, std::size_t parameters);

/// AICc: AIC + 2 k (k + 1) / (m - k - 1); AIC alone where the points do not suffice for it.
[[nodiscard]] double corrected_akaike(double sum_of_squares, std::size_t points,
                                      std::size_t parameters);

/// exp(-difference from the least / 2), normalised to sum 1; finite criteria.
[[nodiscard]] std::vector<double> akaike_weights(std::span<const double> criteria);

}  // namespace interpscale::scaling
