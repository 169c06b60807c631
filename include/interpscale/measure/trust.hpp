// Is a cell's time to be believed? From its rounds alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

namespace interpscale::measure {

struct RoundTime {
  double seconds = 0;
  double steal_share = 0;
};

struct TrustBounds {
  double largest_relative_mad = 0.05;
  double largest_drift = 0.10;        ///< |log(second half / first half)| of the rounds
  double largest_steal_share = 0.05;  ///< median over rounds
};

struct Trust {
  bool trusted = false;
  std::string reason;  ///< "MAD relative to the median 7.1 % (bound 5 %)"; empty when trusted
  double median = 0;
  double relative_mad = 0;
  double drift = 0;
};

/// Rounds in the order they were taken.
[[nodiscard]] Trust judge(std::span<const RoundTime> rounds, const TrustBounds& bounds);

}  // namespace interpscale::measure
