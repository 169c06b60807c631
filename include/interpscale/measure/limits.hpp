// What the machine can do at this moment: FMAs and bytes a second. The floor under every time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "interpscale/measure/environment.hpp"

namespace interpscale::measure {

struct Bandwidth {
  std::string level;        ///< "L1", "L2", "L3", "memory"
  std::uint64_t bytes = 0;  ///< of the array read
  double bytes_per_second = 0;
};

struct Limits {
  std::string simd_target;
  double flops_per_second = 0;        ///< FMA peak in registers, one thread, single precision
  std::vector<Bandwidth> bandwidths;  ///< reads, one thread, smallest level first
};

/// Best of several short probes; takes about `seconds` altogether.
[[nodiscard]] Limits measure_limits(const Environment& environment, double seconds);

/// Median time in nanoseconds for a cache line to go from core `a` to core `b` and back, by two
/// pinned threads; 0 if the threads could not be pinned or the cores are the same.
[[nodiscard]] double round_trip_nanoseconds(int a, int b);

}  // namespace interpscale::measure
