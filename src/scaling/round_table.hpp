// The times of one fit, checked once: cells by rounds, their medians, and what a round's presence
// or absence does to each median. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "interpscale/core/matrix.hpp"
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
  [[nodiscard]] std::size_t rounds() const { return common_influence_.size(); }
  /// log(median over rounds), one a cell.
  [[nodiscard]] const std::vector<double>& log_medians() const { return log_medians_; }

  /// [cells, rounds]: to first order, the cell's log median moves by influence(cell, r) (c_r - 1)
  /// had round r occurred c_r times (Hampel's influence function of the median, its scale from the
  /// cell's median absolute deviation). The round's common factor is not in it.
  [[nodiscard]] const Matrix<double>& influence() const { return influence_; }
  /// [rounds]: the same of the common factor's median, alike for all cells.
  [[nodiscard]] const std::vector<double>& common_influence() const { return common_influence_; }

 private:
  std::vector<double> log_medians_;
  Matrix<double> influence_;
  std::vector<double> common_influence_;
};

/// An error unless there is one positive finite size for each observation, 4 distinct ones at
/// least.
[[nodiscard]] Result<void> check_sizes(std::span<const double> sizes,
                                       std::span<const Observation> observations);

}  // namespace interpscale::scaling
