// Google Benchmark as the only timer: registers subjects, runs them in the order given, hands over
// each timing as it ends.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/measure/timed.hpp"

namespace interpscale::measure {

/// A run at least this long is its own warm-up and is timed once more, whatever the repetitions.
inline constexpr double kLongRunSeconds = 0.25;

struct DriverOptions {
  double min_seconds = 0.05;  ///< of each repetition
  double warm_up_seconds = 0.01;
  int repetitions = 3;
  bool verify = false;  ///< compare with the reference before timing
  /// Two processors, for what runs on more than one thread: the round trip of a cache line between
  /// them is taken before and after each timing. Empty: it is not.
  std::vector<int> processors = {};
};

/// One subject's timing in one process.
struct Timing {
  std::string subject;
  bool ok = false;
  std::string reason;  ///< why not ok
  double seconds = 0;  ///< of one run: median over repetitions of the mean over iterations
  std::vector<double> repetitions;  ///< seconds of one run in each repetition
  std::uint64_t iterations = 0;     ///< of one repetition
  std::vector<double> round_trips;  ///< nanoseconds before and after, or none
  double steal_share = 0;           ///< of the machine's time while this was timed; 0 if unknown
};

/// Prepares, (verifies,) warms up and times each subject in turn and calls `done` as each ends; a
/// subject is prepared when its turn comes and released after it. A failure of one subject is a
/// Timing that is not ok. `done` returns false to stop.
void time_subjects(std::span<const Subject> subjects, const DriverOptions& options,
                   const std::function<bool(const Timing&)>& done);

}  // namespace interpscale::measure
