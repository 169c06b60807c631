// Student's t distribution, for any positive (also fractional) degrees of freedom.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace interpscale::scaling {

/// P(T <= t) by the incomplete beta function's continued fraction (Abramowitz and Stegun 26.5.8,
/// evaluated by Lentz's method). Relative error of either tail about 1e-13; degrees > 0.
[[nodiscard]] double student_t_cdf(double t, double degrees);

/// The t with P(T <= t) = probability, 0 < probability < 1, by bisection on the cdf.
[[nodiscard]] double student_t_quantile(double probability, double degrees);

}  // namespace interpscale::scaling
