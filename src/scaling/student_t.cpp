// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/student_t.hpp"

#include <cmath>

#include "interpscale/core/require.hpp"

namespace interpscale::scaling {
namespace {

/// The continued fraction of the incomplete beta function; converges fast for
/// x < (a + 1) / (a + b + 2).
double beta_continued_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  constexpr double kPrecision = 1e-15;
  constexpr int kMostTerms = 10000;
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int term = 1; term <= kMostTerms; ++term) {
    const double m = term;
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1) < kPrecision) {
      break;
    }
  }
  return fraction;
}

/// I_x(a, b), given x and its complement y = 1 - x (both, so that neither tail loses digits).
double regularised_beta(double a, double b, double x, double y) {
  if (x <= 0) {
    return 0;
  }
  if (y <= 0) {
    return 1;
  }
  const double log_front =
      std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log(y);
  if (x < (a + 1) / (a + b + 2)) {
    return std::exp(log_front) * beta_continued_fraction(a, b, x) / a;
  }
  return 1 - std::exp(log_front) * beta_continued_fraction(b, a, y) / b;
}

}  // namespace

double student_t_cdf(double t, double degrees) {
  require(degrees > 0, "degrees of freedom must be positive");
  const double square = t * t;
  const double x = degrees / (degrees + square);
  const double y = square / (degrees + square);
  const double tail = regularised_beta(degrees / 2, 0.5, x, y) / 2;
  return t > 0 ? 1 - tail : tail;
}

double student_t_quantile(double probability, double degrees) {
  require(probability > 0 && probability < 1, "a probability outside (0, 1)");
  if (probability > 0.5) {
    return -student_t_quantile(1 - probability, degrees);
  }
  if (probability == 0.5) {
    return 0;
  }
  double low = -1;
  while (student_t_cdf(low, degrees) > probability) {
    low *= 2;
  }
  double high = 0;
  constexpr int kHalvings = 200;
  for (int step = 0; step < kHalvings; ++step) {
    const double middle = (low + high) / 2;
    if (middle <= low || middle >= high) {
      break;
    }
    (student_t_cdf(middle, degrees) > probability ? high : low) = middle;
  }
  return (low + high) / 2;
}

}  // namespace interpscale::scaling
