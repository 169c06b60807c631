// Which rounds may stand side by side, and what a cell's rounds say together.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/study/analysis.hpp"

namespace interpscale::study {

/// Rounds of one setting by their number, and why others are not among them.
struct ComparableRounds {
  std::map<int, const RoundRecord*> rounds;
  std::vector<std::string> notes;
};

/// The rounds with the plan's backend and threads, on the first such round's CPU and SIMD target.
/// Rounds of several builds are kept and noted. None at all is an error.
[[nodiscard]] Result<ComparableRounds> comparable_rounds(const StudyJournal& journal);

/// Every cell of the journal, in its order, with the times of `rounds`.
[[nodiscard]] std::vector<CellResult> gather_cells(const StudyJournal& journal,
                                                   const ComparableRounds& comparable);

/// Marks the cells to be fitted, returns the rounds that all of them share, and notes what was left
/// out and why.
[[nodiscard]] std::vector<int> choose_fitted(std::vector<CellResult>& cells,
                                             std::size_t study_rounds,
                                             std::vector<std::string>& notes);

/// The rounds that both have; each ascending.
[[nodiscard]] std::vector<int> common_rounds(const std::vector<int>& a, const std::vector<int>& b);

/// The cell's times in these rounds, all of which it has.
[[nodiscard]] std::vector<double> seconds_in(const CellResult& cell,
                                             const std::vector<int>& rounds);

}  // namespace interpscale::study
