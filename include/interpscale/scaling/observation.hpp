// What a law is fitted to: problem sizes, and a time for each round.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace interpscale::scaling {

/// One cell of a study. `rounds[r]` is the cell's time in round r, in seconds (or its declared
/// FLOPs, as a single exact round); positive and finite. Cells of one fit have the same rounds.
struct Observation {
  std::string name;
  double parameters = 0;  ///< N
  double neurons = 0;     ///< n
  double batch = 0;       ///< B
  double inputs = 0;      ///< d
  std::vector<double> rounds;
  /// What theory declares for the cell, in any unit (FLOPs); 0: nothing. Misfit that the expected
  /// values share with the times does not widen the intervals of two-factor laws and of ratios.
  double expected = 0;
};

/// A two-sided 95 % interval.
struct Interval {
  double low = 0;
  double high = 0;
  [[nodiscard]] double half_width() const { return (high - low) / 2; }
  [[nodiscard]] bool contains(double value) const { return low <= value && value <= high; }
};

/// The middle value (mean of the two middle ones); values must not be empty.
[[nodiscard]] double median(std::vector<double> values);

/// How intervals are made: resamples of rounds, and of residuals for lack of fit.
struct BootstrapOptions {
  int resamples = 2000;
  unsigned long long seed = 20261123;
};

}  // namespace interpscale::scaling
