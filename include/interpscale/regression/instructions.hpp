// Instructions executed, counted by callgrind: a second metric that no neighbour disturbs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "interpscale/regression/alternate.hpp"

namespace interpscale::regression {

/// Debian 12's callgrind does not know AVX-512; this is what it counts in its stead.
inline constexpr const char* kCountedTarget = "AVX2";

struct CountOptions {
  std::vector<std::string> arguments;  ///< to both programs; the SIMD target is added
  std::string filter;                  ///< as of AlternateOptions
  std::uint64_t iterations = 1;        ///< counted, after the warm-up
  double threshold = 0.01;
  std::function<void(const std::string& what, double fraction)> progress;  ///< may be empty
};

/// Instructions of one run of every cell, one thread, in each build; only the timed region counts.
/// The verdict is the ratio against the threshold: a count has no spread to speak of (two runs of a
/// build differ by less than 0.1 %), so intervals are a point. Errors: no valgrind, a build without
/// its headers, no cell left by the filter.
[[nodiscard]] Result<Comparison> compare_instructions(const Build& base, const Build& candidate,
                                                      const CountOptions& options);

}  // namespace interpscale::regression
