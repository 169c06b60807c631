// What interpscale_bench times: kernels, passes, training steps and methods over a moderate grid of
// widths and depths.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/options.hpp"
#include "interpscale/measure/timed.hpp"

namespace interpscale::bench {

/// A subject's name, what it declares if every unit is active, and the subject itself once its turn
/// has come: a network and its activity, on which declared costs depend, are made no sooner.
struct GridEntry {
  std::string name;
  measure::Quantities dense;
  std::function<Result<measure::Subject>()> make;
};

/// Kernels first, then networks by growing size. Subjects above `options.most_flops` are left out.
[[nodiscard]] std::vector<GridEntry> make_grid(const Options& options);

}  // namespace interpscale::bench
