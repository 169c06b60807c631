// The walks of an ascent (ascent.hpp) one at a time, in double precision and obvious loops, and
// where walks begin.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "interpscale/methods/probe.hpp"
#include "interpscale/nn/mlp.hpp"

namespace interpscale::methods::engine {

/// Where walk `start` of a neuron begins: a random direction, at the ball's surface, [d]; the same
/// for every neuron. Rounded to float, so that both precisions begin at the same point.
[[nodiscard]] std::vector<double> ascent_start(const MethodOptions& options, std::size_t start,
                                               std::size_t inputs);

/// One walk in double precision and obvious loops.
struct PlainWalk {
  std::vector<double> point;
  double value = 0;
  /// How near it came to a decision that rounding may make otherwise: a unit at the kink of its
  /// ReLU where a gradient was taken, a step that leads elsewhere but hardly up or down; relative
  /// to the size of what is compared, or 1.
  double clearance = 0;
};

/// The walk of unit `unit` of hidden layer `layer` from `start`, K = options.steps.
[[nodiscard]] PlainWalk plain_walk(const nn::Mlp<double>& network, std::size_t layer,
                                   std::size_t unit, std::vector<double> start,
                                   const MethodOptions& options);

/// Where the walks of all starts of one unit lead: the highest, of equal ones the earlier. Its
/// clearance is the least of all (the choice itself is continuous in the value).
[[nodiscard]] PlainWalk plain_best_walk(const nn::Mlp<double>& network, std::size_t layer,
                                        std::size_t unit, const MethodOptions& options);

}  // namespace interpscale::methods::engine
