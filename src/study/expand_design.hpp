// Which cells tell the exponents of N and of n apart: leverage and variance inflation of a design.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "interpscale/nn/topology.hpp"

namespace interpscale::study {

/// A candidate: its predictors, what it costs a round, how far below a machine's rate it runs, and
/// whether it is of the family in which width alone grows: the ground of one-factor laws and taxes.
struct DesignPoint {
  double log_parameters = 0;
  double log_neurons = 0;
  double seconds = 0;
  double slowdown = 1;
  bool in_family = false;
};

[[nodiscard]] DesignPoint design_point(const nn::Topology& topology, double seconds,
                                       double slowdown);

/// No choice leaves fewer cells, or a smaller range of N or fewer of the family where the
/// candidates have them. Times on narrow networks, whose rows do not fill vectors, scatter two to
/// four times as far about a law: a design of them wants more cells for the same interval.
inline constexpr std::size_t kFewestCells = 8;
inline constexpr std::size_t kFewestNarrowCells = 12;
inline constexpr double kFewestDecades = 1.6;
inline constexpr std::ptrdiff_t kFewestOfFamily = 5;
/// A subject of a preset that has fewer cells, or this much less of a range, is left out.
inline constexpr double kFewestDecadesOfALaw = 1.5;
/// Narrower networks are for the subjects that find no law on the others.
inline constexpr std::size_t kNarrow = 32;
/// Points that run slower than this are left out where a design without them has at most this VIF.
inline constexpr double kLargestSlowdown = 1.5;
inline constexpr double kLargestDesignVif = 6;

/// Indices of the points that stay, ascending: without the slow ones, the slowest first, as far as
/// the bounds above allow, at least `fewest`.
[[nodiscard]] std::vector<std::size_t> without_slow(const std::vector<DesignPoint>& points,
                                                    std::size_t fewest);

/// Bounds that a subject's cells are thinned to, as long as more than `fewest` are left; 0 means
/// none.
struct DesignBounds {
  double seconds = 0;
  std::size_t most = 0;
  std::size_t fewest = kFewestCells;
};

/// Indices of the points that stay, ascending. While a bound is exceeded, the point with the
/// greatest ratio of its cost to its information, -log(1 - leverage), goes: what log det(X^T X)
/// loses with it, X = [1, log N, log n].
[[nodiscard]] std::vector<std::size_t> thinned(const std::vector<DesignPoint>& points,
                                               const DesignBounds& bounds);

/// 1 / (1 - r^2), r the correlation of log N and log n; infinite when either does not vary.
[[nodiscard]] double variance_inflation(const std::vector<DesignPoint>& points);

}  // namespace interpscale::study
