// How many threads are worth using here and now, by measurement.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"

namespace interpscale::tool {

/// A training step of one width on one thread and on several.
struct ThreadGain {
  std::size_t width = 0;
  double one_thread_seconds = 0;
  double seconds = 0;  ///< on all of the processors
  int threads = 0;     ///< as many as there are processors
  int worth = 1;       ///< `threads` if they gain a tenth or more, else 1
};

struct ThreadGains {
  std::string binding;  ///< "0,1"
  std::vector<ThreadGain> gains;
};

/// Training steps of an MLP (64 inputs, three hidden layers, batch 128) of a few widths; medians of
/// runs in turns on one thread and on all processors, about half a second in all. Threads are
/// pinned. Empty where there is only one processor.
[[nodiscard]] Result<ThreadGains> measure_thread_gains();

}  // namespace interpscale::tool
