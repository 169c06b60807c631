// One prepared subject, timed on request in slices of milliseconds, so that two builds can take
// turns faster than a shared machine changes its pace. Google Benchmark stays the only timer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "interpscale/core/result.hpp"
#include "interpscale/measure/timed.hpp"

namespace interpscale::measure {

/// Iterations of a slice are a multiple of this where there are half as many or more: a cost that
/// falls on every n-th run (n a divisor) then falls on every slice alike.
inline constexpr std::uint64_t kSliceMultiple = 20;

class SliceTimer {
 public:
  /// Prepares the subject and, if asked to, verifies it. Errors: either failed, or threw.
  [[nodiscard]] static Result<SliceTimer> prepare(Subject subject, bool verify);

  /// Warms up (a fifth of a slice, one run at least); the iterations that last about `seconds`.
  [[nodiscard]] Result<std::uint64_t> calibrate(double seconds);
  /// Seconds of one run, the mean over `iterations`.
  [[nodiscard]] Result<double> time(std::uint64_t iterations);
  /// The prepared work itself, for counting instead of timing.
  [[nodiscard]] Timed& timed() { return *timed_; }

 private:
  SliceTimer(Subject subject, std::unique_ptr<Timed> timed);

  Subject subject_;
  std::unique_ptr<Timed> timed_;
};

}  // namespace interpscale::measure
