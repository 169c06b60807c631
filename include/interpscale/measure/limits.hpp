// What the machine can do at this moment: FMAs and bytes a second. The floor under every time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
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

/// FMA peak in registers, one thread, single precision, at this moment: best of several probes that
/// take about `seconds` altogether.
[[nodiscard]] double fma_flops_per_second(double seconds);

/// How near to each other two cores are: whether they share a last-level cache. A hypervisor may
/// move virtual cores, so that it changes while a program runs.
enum class Placement { kUnknown, kNear, kFar, kMixed };

/// Round trips above this are between core complexes. Seen within one: 20 to 80 ns; across: 190 ns
/// (one die's fabric) to 500 ns (two sockets).
inline constexpr double kLongestNearRoundTrip = 130.0;

/// Of a round trip as `round_trip_nanoseconds` gives it; 0 is unknown.
[[nodiscard]] Placement placement_of(double round_trip);
/// Of several that were taken around one timing: mixed where they differ, unknown where there are
/// none.
[[nodiscard]] Placement placement_of(std::span<const double> round_trips);
/// "unknown", "near", "far", "mixed".
[[nodiscard]] std::string_view name_of(Placement placement);

/// Median time in nanoseconds for a cache line to go from core `a` to core `b` and back, by two
/// pinned threads; 0 if the threads could not be pinned or the cores are the same.
[[nodiscard]] double round_trip_nanoseconds(int a, int b);

}  // namespace interpscale::measure
