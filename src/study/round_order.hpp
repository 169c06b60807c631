// Which cells a round visits, and in which order: a pure function of the journal, so that the
// parent knows what a child that crashed was working on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "interpscale/study/records.hpp"

namespace interpscale::study {

/// The seed of a round's order, drawn from the plan's.
[[nodiscard]] std::uint64_t round_seed(const Plan& plan, int round);

/// The cells that have no timing yet in `round`, in the order in which they are visited; of all
/// verified cells, or of `only_cells` if those are named.
[[nodiscard]] std::vector<const CellRecord*> cells_to_time(
    const StudyJournal& journal, int round, const std::vector<std::string>& only_cells);

/// The cells of an extra round: those that the rounds before it leave mistrusted.
[[nodiscard]] std::vector<std::string> mistrusted_cells(const StudyJournal& journal, int round);

}  // namespace interpscale::study
