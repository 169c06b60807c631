// The times of one fit, checked once: cells by rounds, with what resampling whole rounds needs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/scaling/observation.hpp"

namespace interpscale::scaling {

/// Positive times [cells, rounds] and the logarithms of their medians over rounds. A round's common
/// factor (median over cells of time / cell's median) is first divided out of its times, and its
/// median over rounds multiplied back: otherwise one and the same middle round would be every
/// cell's median wherever rounds differ more than the noise within them, and all other rounds
/// wasted.
class RoundTable {
 public:
  /// An error names the cell and the round: no rounds, other rounds than the first cell's, or a
  /// time that is not positive and finite.
  [[nodiscard]] static Result<RoundTable> from(std::span<const Observation> observations);

  [[nodiscard]] std::size_t cells() const { return log_medians_.size(); }
  [[nodiscard]] std::size_t rounds() const { return rounds_; }
  /// log(median over rounds), one a cell.
  [[nodiscard]] const std::vector<double>& log_medians() const { return log_medians_; }

  /// The same, had round r occurred counts[r] times (sum of counts = rounds()); into [cells].
  void log_medians_of(std::span<const unsigned> counts, std::span<double> log_medians) const;

 private:
  struct Timed {
    std::size_t round;
    double time;
    double log_time;
  };

  /// The median of `row` [rounds], ascending, had round r occurred counts[r] times.
  [[nodiscard]] double log_median_of(const Timed* row, std::span<const unsigned> counts) const;

  std::size_t rounds_ = 0;
  std::vector<Timed> sorted_;          // [cells, rounds], factors divided out, each row ascending
  std::vector<Timed> sorted_factors_;  // [rounds], ascending
  std::vector<double> log_medians_;
};

/// An error unless there is one positive finite size for each observation, 4 distinct ones at
/// least.
[[nodiscard]] Result<void> check_sizes(std::span<const double> sizes,
                                       std::span<const Observation> observations);

}  // namespace interpscale::scaling
