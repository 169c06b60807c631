// The usual pieces of an experiment: one for each width and seed of the scale.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "interpscale/experiments/laboratory.hpp"
#include "interpscale/modules/splice.hpp"

namespace interpscale::experiments {

/// One trained network of the scale, and what is known of it before an experiment begins.
struct Specimen {
  nn::Mlp<float> network;
  std::size_t width = 0;
  int seed = 0;
  const data::Dataset& fit;     ///< training examples that surrogates are fitted to
  const data::Dataset& test;    ///< examples that losses are of
  modules::SampleLosses whole;  ///< the network's own losses on `test`
};

/// Fills figures and series.
using NetworkWork = std::function<Result<void>(const Specimen&, Laboratory&, Outcome&)>;

/// A piece a width and seed, called "width 64, seed 0", that trains the network (or reads it),
/// calls `work` to fill figures and series, and records topology, N, n, seed, the figures `depth`,
/// `loss`, `accuracy` and `step_seconds` (one training step on 128 samples) and the seconds that
/// `work` took, those of trainings it asked for left out. `seconds_at_reference`: what work is
/// assumed to take on a network of 10^5 parameters, in proportion to N. A network whose loss is no
/// better than that of equal odds on every class never trained: a failed outcome that says so.
[[nodiscard]] std::vector<Piece> pieces_of_networks(const ArgumentScale& scale,
                                                    double seconds_at_reference,
                                                    const NetworkWork& work);

/// The same, and beside them networks of twice and three times the scale's depth, of its two
/// smallest widths, which tell N and n apart. Those are called "width 64, depth 12, seed 0".
[[nodiscard]] std::vector<Piece> pieces_of_all_depths(const ArgumentScale& scale,
                                                      double seconds_at_reference,
                                                      const NetworkWork& work);

/// The images that these networks are trained on have so many classes.
inline constexpr std::size_t kImageClasses = 10;

/// What the loss on `test` rises by with these surrogates in place.
[[nodiscard]] double rise_with(const Specimen& specimen, std::vector<modules::Surrogate> placed,
                               const kernels::Context<float>& context);

/// Loss of equal odds on every class less the network's own (`loss`): what training gained.
[[nodiscard]] double gained_by_training(const Outcome& outcome);

/// Seconds that `work` takes: short work is repeated, and the median counts.
[[nodiscard]] double seconds_of(const std::function<void()>& work);

/// Seconds since a start.
[[nodiscard]] double seconds_since(std::chrono::steady_clock::time_point start);

}  // namespace interpscale::experiments
