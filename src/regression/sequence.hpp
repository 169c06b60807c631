// Verdicts while rounds are still coming in: cells that are decided need no more of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "regression/judge.hpp"

namespace interpscale::regression {

/// Looks at the ratios come after 8, 12, 18, 27, ... rounds (each half as many again). The k-th
/// look spends 2^-(k + 1) of the family's 5 %, the final one all that is left (half of it and
/// more), and Holm steps down over the cells that are not decided yet; a cell once decided stays
/// so. The chance of any false verdict then is below the sum of what the looks spend: the first
/// true hypothesis to be rejected, one of at least m_0 still open, was tested at no more than that
/// look's share / m_0.
class Sequence {
 public:
  Sequence(std::size_t cells, double margin);

  /// One more round of a cell.
  void add(std::size_t cell, double log_ratio) { rounds_[cell].push_back(log_ratio); }
  /// A cell that could not be measured: counts as decided, has no judgement.
  void drop(std::size_t cell) { open_[cell] = false; }

  [[nodiscard]] bool is_open(std::size_t cell) const { return open_[cell]; }
  [[nodiscard]] std::size_t open_cells() const;
  /// After `rounds` rounds: looks if a look is due.
  void end_round(std::size_t rounds);
  /// The last look, with all that is left to spend, over the cells that are open.
  void conclude();

  [[nodiscard]] const Judgement& judgement(std::size_t cell) const { return judgements_[cell]; }
  [[nodiscard]] LogRatio ratio(std::size_t cell) const { return log_ratio_of(rounds_[cell]); }
  [[nodiscard]] const std::vector<double>& rounds(std::size_t cell) const { return rounds_[cell]; }

 private:
  void look(double alpha);

  double margin_;
  std::vector<std::vector<double>> rounds_;  // per cell, log ratios
  std::vector<bool> open_;
  std::vector<Judgement> judgements_;
  std::size_t next_look_;
  double next_share_;
  double left_;  // of the family's level
};

}  // namespace interpscale::regression
