// SPDX-License-Identifier: Apache-2.0
#include "study/round_order.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "interpscale/core/random.hpp"
#include "interpscale/measure/trust.hpp"

namespace interpscale::study {
namespace {

/// Streams of the plan's seed (networks and batches use the seed's lowest ones) and of a round's.
constexpr std::uint64_t kRoundStream = std::uint64_t{1} << 48;
constexpr std::uint64_t kOrderStream = 0;

std::vector<const CellRecord*> verified_cells_by_name(const StudyJournal& journal) {
  std::vector<const CellRecord*> cells;
  for (const CellRecord& cell : journal.cells) {
    if (cell.status == "ok") {
      cells.push_back(&cell);
    }
  }
  std::sort(cells.begin(), cells.end(),
            [](const CellRecord* a, const CellRecord* b) { return a->cell < b->cell; });
  return cells;
}

}  // namespace

std::uint64_t round_seed(const Plan& plan, int round) {
  return RandomStream(plan.seed, kRoundStream).bits(static_cast<std::uint64_t>(round));
}

std::vector<const CellRecord*> cells_to_time(const StudyJournal& journal, int round,
                                             const std::vector<std::string>& only_cells) {
  std::set<std::string> done;
  for (const TimingRecord& timing : journal.timings) {
    if (timing.round == round) {
      done.insert(timing.cell);
    }
  }
  const std::vector<const CellRecord*> cells = verified_cells_by_name(journal);
  const std::vector<std::size_t> order =
      RandomStream(round_seed(journal.plan, round), kOrderStream).permutation(cells.size());
  std::vector<const CellRecord*> visited;
  for (const std::size_t i : order) {
    const std::string& name = cells[i]->cell;
    const bool wanted = only_cells.empty() ||
                        std::find(only_cells.begin(), only_cells.end(), name) != only_cells.end();
    if (wanted && !done.contains(name)) {
      visited.push_back(cells[i]);
    }
  }
  return visited;
}

std::vector<std::string> mistrusted_cells(const StudyJournal& journal, int round) {
  std::map<std::string, std::map<int, measure::RoundTime>> times;
  for (const TimingRecord& timing : journal.timings) {
    if (timing.status == "ok" && timing.round < round) {
      times[timing.cell][timing.round] = {timing.seconds, timing.steal_share};
    }
  }
  std::vector<std::string> mistrusted;
  for (const auto& [cell, by_round] : times) {
    std::vector<measure::RoundTime> rounds;
    for (const auto& [number, time] : by_round) {
      rounds.push_back(time);
    }
    if (!measure::judge(rounds, measure::TrustBounds{}).trusted) {
      mistrusted.push_back(cell);
    }
  }
  return mistrusted;
}

}  // namespace interpscale::study
