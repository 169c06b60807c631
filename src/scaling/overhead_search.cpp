// SPDX-License-Identifier: Apache-2.0
#include "scaling/overhead_search.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace interpscale::scaling {
namespace {

constexpr double kLeastExponent = 0.02;
constexpr double kMostExponent = 8;
/// log r stays where the overhead is between 1e-9 of the time at the smallest size and 1e6 times
/// the power at the largest.
constexpr double kLogLeastShare = -20.7;
constexpr double kLogMostShare = 13.8;

/// Normal equations of one Gauss-Newton step, the coefficient projected out.
struct Linearised {
  double sum_of_squares = 0;
  double log_coefficient = 0;
  double ratio_ratio = 0;  // of the derivatives in log r and alpha
  double ratio_exponent = 0;
  double exponent_exponent = 0;
  double ratio_residual = 0;
  double exponent_residual = 0;
};

Linearised linearise(std::span<const double> u, std::span<const double> y, double log_ratio,
                     double exponent) {
  // Residuals are taken against the first cell's, so that the centring below cancels no digits.
  double offset = 0;
  double e = 0, ee = 0, r = 0, a = 0, rr = 0, ra = 0, aa = 0, re = 0, ae = 0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    const double power = exponent * u[i];
    const double decay = std::exp(-std::abs(log_ratio - power));
    const double value = std::max(power, log_ratio) + std::log1p(decay);
    const double share = (log_ratio > power ? 1 : decay) / (1 + decay);  // overhead in the time
    if (i == 0) {
      offset = y[0] - value;
    }
    const double residual = y[i] - value - offset;
    const double by_exponent = (1 - share) * u[i];
    e += residual;
    ee += residual * residual;
    r += share;
    a += by_exponent;
    rr += share * share;
    ra += share * by_exponent;
    aa += by_exponent * by_exponent;
    re += share * residual;
    ae += by_exponent * residual;
  }
  const auto m = static_cast<double>(u.size());
  return {std::max(0.0, ee - e * e / m),
          offset + e / m,
          rr - r * r / m,
          ra - r * a / m,
          aa - a * a / m,
          re - r * e / m,
          ae - a * e / m};
}

struct Bounds {
  double lowest_u;
  double highest_u;

  [[nodiscard]] double exponent(double value) const {
    return std::clamp(value, kLeastExponent, kMostExponent);
  }
  [[nodiscard]] double log_ratio(double value, double exponent) const {
    return std::clamp(value, exponent * lowest_u + kLogLeastShare,
                      exponent * highest_u + kLogMostShare);
  }
};

Bounds bounds_of(std::span<const double> u) {
  const auto [low, high] = std::minmax_element(u.begin(), u.end());
  return {*low, *high};
}

OverheadPoint evaluate(std::span<const double> u, std::span<const double> y, double log_ratio,
                       double exponent) {
  const Linearised here = linearise(u, y, log_ratio, exponent);
  return {log_ratio, exponent, here.log_coefficient, here.sum_of_squares};
}

/// Levenberg-Marquardt from `start` until a step moves the exponent by less than `precision`.
OverheadPoint descend(std::span<const double> u, std::span<const double> y,
                      const OverheadPoint& start, double precision, int most_steps) {
  const Bounds bounds = bounds_of(u);
  double exponent = bounds.exponent(start.exponent);
  double log_ratio = bounds.log_ratio(start.log_ratio, exponent);
  Linearised here = linearise(u, y, log_ratio, exponent);
  double damping = 1e-4;
  for (int step = 0; step < most_steps; ++step) {
    const double rr = here.ratio_ratio * (1 + damping) + 1e-300;
    const double aa = here.exponent_exponent * (1 + damping) + 1e-300;
    const double determinant = rr * aa - here.ratio_exponent * here.ratio_exponent;
    const double by_ratio =
        (aa * here.ratio_residual - here.ratio_exponent * here.exponent_residual) / determinant;
    const double by_exponent =
        (rr * here.exponent_residual - here.ratio_exponent * here.ratio_residual) / determinant;
    if (!std::isfinite(by_ratio) || !std::isfinite(by_exponent)) {
      break;
    }
    const double next_exponent = bounds.exponent(exponent + std::clamp(by_exponent, -1.0, 1.0));
    const double next_ratio =
        bounds.log_ratio(log_ratio + std::clamp(by_ratio, -4.0, 4.0), next_exponent);
    const double moved = std::abs(next_exponent - exponent);
    const Linearised next = linearise(u, y, next_ratio, next_exponent);
    const bool better = next.sum_of_squares < here.sum_of_squares;
    if (better) {
      here = next;
      exponent = next_exponent;
      log_ratio = next_ratio;
      damping *= 0.1;
    } else {
      damping *= 10;
    }
    if (moved < precision || damping > 1e10) {
      break;
    }
  }
  return {log_ratio, exponent, here.log_coefficient, here.sum_of_squares};
}

}  // namespace

double log_overhead_plus_power(double log_ratio, double exponent, double u) {
  const double power = exponent * u;
  return std::max(power, log_ratio) + std::log1p(std::exp(-std::abs(log_ratio - power)));
}

OverheadPoint search_overhead(std::span<const double> u, std::span<const double> y) {
  constexpr int kExponents = 40;
  constexpr int kOverheads = 30;
  constexpr std::size_t kStarts = 6;
  constexpr double kPrecision = 1e-13;
  constexpr int kMostSteps = 200;
  const Bounds bounds = bounds_of(u);
  // The best overhead of each exponent, then the best exponents: starts that differ.
  std::array<OverheadPoint, kExponents> rows;
  for (int i = 0; i < kExponents; ++i) {
    const double exponent =
        0.05 * std::pow(kMostExponent / 0.05, static_cast<double>(i) / (kExponents - 1));
    rows[static_cast<std::size_t>(i)].sum_of_squares = std::numeric_limits<double>::infinity();
    const double lowest = exponent * bounds.lowest_u - 8;
    const double highest = exponent * bounds.highest_u + 5;
    for (int j = 0; j < kOverheads; ++j) {
      const double log_ratio = lowest + (highest - lowest) * j / (kOverheads - 1);
      const OverheadPoint point = evaluate(u, y, log_ratio, exponent);
      if (point.sum_of_squares < rows[static_cast<std::size_t>(i)].sum_of_squares) {
        rows[static_cast<std::size_t>(i)] = point;
      }
    }
  }
  const auto less = [](const OverheadPoint& p, const OverheadPoint& q) {
    return p.sum_of_squares < q.sum_of_squares;
  };
  std::partial_sort(rows.begin(), rows.begin() + kStarts, rows.end(), less);
  OverheadPoint best = rows[0];
  for (std::size_t start = 0; start < kStarts; ++start) {
    best = std::min(best, descend(u, y, rows[start], kPrecision, kMostSteps), less);
  }
  return best;
}

OverheadPoint refine_overhead(std::span<const double> u, std::span<const double> y,
                              const OverheadPoint& start) {
  constexpr double kPrecision = 1e-5;
  constexpr int kMostSteps = 30;
  return descend(u, y, start, kPrecision, kMostSteps);
}

OverheadPoint default_overhead_start(std::span<const double> u, double power_exponent) {
  const double exponent = std::clamp(1.03 * power_exponent, kLeastExponent, kMostExponent);
  const double power_at_smallest = exponent * *std::min_element(u.begin(), u.end());
  return {power_at_smallest - std::log(9.0), exponent, 0, 0};
}

}  // namespace interpscale::scaling
