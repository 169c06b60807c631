// SPDX-License-Identifier: Apache-2.0
#include "interpscale/experiments/figure.hpp"

#include <algorithm>
#include <cmath>

#include "interpscale/core/require.hpp"

namespace interpscale::experiments {
namespace {

Figure logarithm(const Figure& figure) {
  require(figure.interval.low > 0, "the logarithm of a figure that may be zero");
  return {std::log(figure.value), {std::log(figure.interval.low), std::log(figure.interval.high)}};
}

Figure exponential(const Figure& figure) {
  return {std::exp(figure.value), {std::exp(figure.interval.low), std::exp(figure.interval.high)}};
}

template <class Combine>
PowerFigure combined(const PowerFigure& a, const PowerFigure& b, const Figure& exponent,
                     const Combine& combine) {
  PowerFigure law;
  law.exponent = exponent;
  for (std::size_t i = 0; i < kStatedSizes.size(); ++i) {
    law.at[i] = combine(a.at[i], b.at[i]);
  }
  law.smallest = std::max(a.smallest, b.smallest);
  law.largest = std::min(a.largest, b.largest);
  return law;
}

/// p + q x + r x^2 through three points.
struct Quadratic {
  double p = 0;
  double q = 0;
  double r = 0;
};

using Three = std::array<double, 3>;

/// By divided differences.
Quadratic through(const Three& x, const Three& y) {
  const double first = (y[1] - y[0]) / (x[1] - x[0]);
  const double second = (y[2] - y[1]) / (x[2] - x[1]);
  const double r = (second - first) / (x[2] - x[0]);
  return {y[0] - first * x[0] + r * x[0] * x[1], first - r * (x[0] + x[1]), r};
}

/// The x at which (value + slope x)^2 = arm^2(x), where the line may be zero in between.
std::optional<scaling::Interval> where_zero(double value, double slope, const Quadratic& arm) {
  const double r = slope * slope - arm.r;
  const double q = 2 * value * slope - arm.q;
  const double p = value * value - arm.p;
  const double discriminant = q * q - 4 * r * p;
  if (r <= 0 || discriminant < 0) {
    return std::nullopt;
  }
  const double root = std::sqrt(discriminant);
  return scaling::Interval{(-q - root) / (2 * r), (-q + root) / (2 * r)};
}

}  // namespace

Figure sum_of(const Figure& a, const Figure& b) {
  const double value = a.value + b.value;
  return {value,
          {value - std::hypot(a.value - a.interval.low, b.value - b.interval.low),
           value + std::hypot(a.interval.high - a.value, b.interval.high - b.value)}};
}

Figure difference_of(const Figure& a, const Figure& b) {
  return sum_of(a, {-b.value, {-b.interval.high, -b.interval.low}});
}

Figure product_of(const Figure& a, const Figure& b) {
  return exponential(sum_of(logarithm(a), logarithm(b)));
}

Figure quotient_of(const Figure& a, const Figure& b) {
  return exponential(difference_of(logarithm(a), logarithm(b)));
}

Figure scaled(const Figure& figure, double factor) {
  require(factor > 0, "scaled: a positive factor");
  return {factor * figure.value, {factor * figure.interval.low, factor * figure.interval.high}};
}

PowerFigure product_of(const PowerFigure& a, const PowerFigure& b) {
  return combined(a, b, sum_of(a.exponent, b.exponent),
                  [](const Figure& x, const Figure& y) { return product_of(x, y); });
}

PowerFigure quotient_of(const PowerFigure& a, const PowerFigure& b) {
  return combined(a, b, difference_of(a.exponent, b.exponent),
                  [](const Figure& x, const Figure& y) { return quotient_of(x, y); });
}

PowerFigure scaled(const PowerFigure& law, double factor) {
  PowerFigure result = law;
  for (Figure& figure : result.at) {
    figure = scaled(figure, factor);
  }
  return result;
}

bool withheld(const Figure& figure) {
  return !(figure.interval.low > 0) || figure.interval.high > kLargestSpan * figure.interval.low;
}

std::optional<Figure> crossing(const PowerFigure& law, double level) {
  require(level > 0, "crossing: a positive level");
  const double slope = law.exponent.value;
  if (law.exponent.interval.contains(0) || slope == 0) {
    return std::nullopt;
  }
  Three x{};
  Three arm{};
  for (std::size_t i = 0; i < kStatedSizes.size(); ++i) {
    x[i] = std::log(kStatedSizes[i]);
    const double half = std::log(law.at[i].interval.high / law.at[i].interval.low) / 2;
    arm[i] = half * half;
  }
  const double at_zero = std::log(law.at[0].value / level) - slope * x[0];
  const std::optional<scaling::Interval> bounds = where_zero(at_zero, slope, through(x, arm));
  if (!bounds) {
    return std::nullopt;
  }
  return exponential({-at_zero / slope, *bounds});
}

}  // namespace interpscale::experiments
