// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/trust.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "interpscale/core/require.hpp"
#include "measure/median.hpp"

namespace interpscale::measure {
namespace {

/// |log(median of the later half / median of the earlier half)|; of an odd number of rounds, the
/// one in the middle belongs to neither. 0 for fewer than two.
double drift_of(const std::vector<double>& seconds) {
  const std::size_t half = seconds.size() / 2;
  if (half == 0) {
    return 0.0;
  }
  const auto middle = static_cast<std::ptrdiff_t>(half);
  const double earlier = median_of({seconds.begin(), seconds.begin() + middle});
  const double later = median_of({seconds.end() - middle, seconds.end()});
  return std::abs(std::log(later / earlier));
}

void add_reason(std::string& reasons, const std::string& reason) {
  reasons += reasons.empty() ? reason : "; " + reason;
}

std::string over_bound(const char* what, double found, double bound) {
  return fmt::format("{} {:.1f} % (bound {:g} %)", what, 100.0 * found, 100.0 * bound);
}

}  // namespace

Trust judge(std::span<const RoundTime> rounds, const TrustBounds& bounds) {
  Trust trust;
  if (rounds.empty()) {
    trust.reason = "no round";
    return trust;
  }
  std::vector<double> seconds;
  std::vector<double> steal_shares;
  for (const RoundTime& round : rounds) {
    require(std::isfinite(round.seconds) && round.seconds > 0.0,
            "a round's time is positive and finite, or it is not a time");
    seconds.push_back(round.seconds);
    steal_shares.push_back(round.steal_share);
  }
  trust.median = median_of(seconds);
  std::vector<double> deviations;
  for (const double value : seconds) {
    deviations.push_back(std::abs(value - trust.median));
  }
  trust.relative_mad = median_of(deviations) / trust.median;
  trust.drift = drift_of(seconds);
  const double steal = median_of(steal_shares);
  if (rounds.size() == 1) {
    add_reason(trust.reason, "one round only: its spread is not known");
  }
  if (trust.relative_mad > bounds.largest_relative_mad) {
    add_reason(trust.reason, over_bound("MAD relative to the median", trust.relative_mad,
                                        bounds.largest_relative_mad));
  }
  if (trust.drift > bounds.largest_drift) {
    add_reason(trust.reason,
               over_bound("drift between the halves", trust.drift, bounds.largest_drift));
  }
  if (steal > bounds.largest_steal_share) {
    add_reason(trust.reason, over_bound("stolen time", steal, bounds.largest_steal_share));
  }
  trust.trusted = trust.reason.empty();
  return trust;
}

}  // namespace interpscale::measure
