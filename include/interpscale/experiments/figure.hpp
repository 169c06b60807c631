// Measured figures and how they combine: sums, ratios, and power laws at sizes beyond the measured.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>

#include "interpscale/scaling/observation.hpp"

namespace interpscale::experiments {

/// A measured figure and its 95 % interval.
struct Figure {
  double value = 0;
  scaling::Interval interval;
};

/// a + b of independently measured figures. The arms of the intervals join in quadrature (method of
/// variance estimates recovery: Zou & Donner 2008), so that skewed intervals stay skewed.
[[nodiscard]] Figure sum_of(const Figure& a, const Figure& b);
/// a - b likewise: the lower arm joins a's lower and b's upper one.
[[nodiscard]] Figure difference_of(const Figure& a, const Figure& b);
/// a b and a / b of positive figures: sums and differences of their logarithms.
[[nodiscard]] Figure product_of(const Figure& a, const Figure& b);
[[nodiscard]] Figure quotient_of(const Figure& a, const Figure& b);
/// The figure times a number known exactly.
[[nodiscard]] Figure scaled(const Figure& figure, double factor);

/// Sizes at which power laws are stated: the reference size, and two that are extrapolated to.
inline constexpr std::array kStatedSizes = {1e6, 1e9, 1e12};

/// y = c N^exponent, with the interval that y has at each of kStatedSizes: three intervals of a
/// line fix those at every size, since an arm's square is quadratic in log N.
struct PowerFigure {
  Figure exponent;
  std::array<Figure, kStatedSizes.size()> at;
  double smallest = 0;  ///< the sizes it was measured on
  double largest = 0;
  [[nodiscard]] bool extrapolated(double size) const { return size < smallest || size > largest; }
};

/// Of independently measured laws; measured where both are.
[[nodiscard]] PowerFigure product_of(const PowerFigure& a, const PowerFigure& b);
[[nodiscard]] PowerFigure quotient_of(const PowerFigure& a, const PowerFigure& b);
[[nodiscard]] PowerFigure scaled(const PowerFigure& law, double factor);

/// An interval that spans more than this factor is withheld.
inline constexpr double kLargestSpan = 1e3;
[[nodiscard]] bool withheld(const Figure& figure);

/// The size at which the law crosses `level`, and the sizes at which it may (Fieller): none where
/// the law may be flat.
[[nodiscard]] std::optional<Figure> crossing(const PowerFigure& law, double level);

}  // namespace interpscale::experiments
