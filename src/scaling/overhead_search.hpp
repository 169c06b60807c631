// T = a + b x^alpha with a >= 0, least squares on log T. With r = a / b the law is
// log T = log b + log(r + x^alpha): log b is linear and projected out (Golub and Pereyra 1973),
// which leaves a search over (log r, alpha). SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace interpscale::scaling {

/// A place in the plane of the search. `log_ratio` = log r, minus infinity where there is no
/// overhead; the size that r is measured against is the one with u = 0.
struct OverheadPoint {
  double log_ratio = 0;
  double exponent = 0;
  double log_coefficient = 0;
  double sum_of_squares = 0;
};

/// log(exp(log_ratio) + exp(exponent u)), for log_ratio = minus infinity too.
[[nodiscard]] double log_overhead_plus_power(double log_ratio, double exponent, double u);

/// The least sum of squares over 0.02 <= alpha <= 8: u = log size (centred), y = log time, as many.
/// A grid of exponents and overheads, then Gauss-Newton steps from its best places.
[[nodiscard]] OverheadPoint search_overhead(std::span<const double> u, std::span<const double> y);

/// The local minimum reached from `start` (its log_ratio finite), to 1e-5 in the exponent: what a
/// resample needs, an order of magnitude cheaper than the grid.
[[nodiscard]] OverheadPoint refine_overhead(std::span<const double> u, std::span<const double> y,
                                            const OverheadPoint& start);

/// A start for `refine_overhead` where nothing better is known: the overhead is a tenth of the time
/// at the smallest size.
[[nodiscard]] OverheadPoint default_overhead_start(std::span<const double> u,
                                                   double power_exponent);

}  // namespace interpscale::scaling
