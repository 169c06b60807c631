// How much the experiments of the argument do, and the pieces of work they are cut into.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/experiments/outcome.hpp"

namespace interpscale::experiments {

class Laboratory;

/// Extents of the experiments: networks of `depth` hidden layers on images of 49 pixels, a number
/// of seeds of each width, and what is done to them.
struct ArgumentScale {
  std::string name = "none";
  std::vector<std::size_t> widths;  ///< ascending; empty: nothing is done
  int seeds = 0;
  std::size_t depth = 4;
  std::size_t training_examples = 0;
  std::size_t training_epochs = 0;
  std::size_t fit_examples = 0;   ///< that surrogates are fitted to: training examples
  std::size_t test_examples = 0;  ///< that losses are of
  std::size_t clusters = 0;       ///< k: modules of a network
  std::size_t shuffles = 0;
  std::size_t lesion_sets = 0;
  std::vector<std::size_t> surrogate_sizes;  ///< ascending
  std::size_t permutations = 0;              ///< of tests
};

/// "none", "quick" (three minutes on two cores) or "standard" (three quarters of an hour).
[[nodiscard]] std::vector<std::string> argument_scale_names();
[[nodiscard]] Result<ArgumentScale> argument_scale(std::string_view name);

/// A piece of an experiment: done in one go, and in the journal before the next begins.
struct Piece {
  std::string name;
  double assumed_seconds = 0;
  /// Fills status, figures and series; whoever runs it, the rest. An error ends the study; what a
  /// network cannot give is a failed outcome.
  std::function<Result<Outcome>(Laboratory&)> run;
};

}  // namespace interpscale::experiments
