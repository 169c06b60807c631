// One cell's log ratio of times, with its standard error and degrees of freedom.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "interpscale/scaling/observation.hpp"

namespace interpscale::regression {

struct LogRatio {
  double mean = 0;
  double standard_error = 0;
  double degrees_of_freedom = 0;

  /// P(an estimate as far above `hypothesis` as this one or farther), were that the truth.
  [[nodiscard]] double upper_tail(double hypothesis) const;
  /// The same below.
  [[nodiscard]] double lower_tail(double hypothesis) const;
  /// Two-sided Student interval of coverage 1 - level.
  [[nodiscard]] scaling::Interval interval(double level) const;
};

/// Of log ratios, one a round; 2 at least.
[[nodiscard]] LogRatio log_ratio_of(const std::vector<double>& log_ratios);

/// Mean over rounds of log(candidate / base), round by round; as many rounds in both, 2 at least.
[[nodiscard]] LogRatio paired_log_ratio(const std::vector<double>& base,
                                        const std::vector<double>& candidate);

/// Difference of mean logs, variances apart (Welch 1947); 2 rounds at least in each.
[[nodiscard]] LogRatio unpaired_log_ratio(const std::vector<double>& base,
                                          const std::vector<double>& candidate);

}  // namespace interpscale::regression
