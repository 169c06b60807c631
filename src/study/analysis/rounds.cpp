// SPDX-License-Identifier: Apache-2.0
#include "study/analysis/rounds.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "interpscale/core/require.hpp"

namespace interpscale::study {
namespace {

/// Of the study's rounds, how many a cell needs: half, rounded up.
std::size_t fewest_rounds(std::size_t study_rounds) {
  return (study_rounds + 1) / 2;
}

/// What differs between a round and the setting that is analysed; empty where nothing does.
std::string difference(const RoundRecord& round, const RoundRecord& wanted) {
  const auto differs = [](const char* what, const auto& found, const auto& want) {
    return fmt::format("{} '{}', not '{}'", what, found, want);
  };
  if (round.backend != wanted.backend) {
    return differs("backend", round.backend, wanted.backend);
  }
  if (round.threads != wanted.threads) {
    return differs("threads", round.threads, wanted.threads);
  }
  if (round.simd_target != wanted.simd_target) {
    return differs("SIMD target", round.simd_target, wanted.simd_target);
  }
  if (round.environment.cpu != wanted.environment.cpu) {
    return differs("CPU", round.environment.cpu, wanted.environment.cpu);
  }
  return {};
}

void note_builds(const std::map<int, const RoundRecord*>& rounds, std::vector<std::string>& notes) {
  std::set<std::string> builds;
  for (const auto& [number, round] : rounds) {
    builds.insert(round->environment.revision + (round->environment.dirty ? " (dirty)" : ""));
  }
  if (builds.size() > 1) {
    notes.push_back(
        fmt::format("The rounds come from {} builds: {}.", builds.size(), fmt::join(builds, ", ")));
  }
}

/// Median over the cell's rounds of amount / seconds / limit of that round; 0 where unknown.
template <class Limit>
double median_share(const CellResult& cell, double amount, const ComparableRounds& comparable,
                    const Limit& limit) {
  std::vector<double> shares;
  for (std::size_t i = 0; i < cell.rounds.size(); ++i) {
    const double bound = limit(*comparable.rounds.at(cell.rounds[i]));
    if (bound > 0) {
      shares.push_back(amount / cell.seconds[i] / bound);
    }
  }
  return shares.empty() ? 0 : scaling::median(std::move(shares));
}

double peak_of(const RoundRecord& round) {
  return round.limits.flops_per_second * std::max(1, round.threads);
}

double memory_bandwidth_of(const RoundRecord& round) {
  return round.limits.bandwidths.empty() ? 0 : round.limits.bandwidths.back().bytes_per_second;
}

/// From the cell's record and its timings of comparable rounds.
CellResult gather_cell(const CellRecord& record, const std::map<int, const TimingRecord*>& timings,
                       const ComparableRounds& comparable) {
  CellResult cell;
  cell.cell = record;
  std::vector<measure::RoundTime> times;
  std::vector<const TimingRecord*> failures;
  for (const auto& [round, timing] : timings) {
    if (timing->status == "ok" && std::isfinite(timing->seconds) && timing->seconds > 0) {
      cell.rounds.push_back(round);
      cell.seconds.push_back(timing->seconds);
      times.push_back({timing->seconds, timing->steal_share});
    } else {
      failures.push_back(timing);
    }
  }
  if (!failures.empty()) {
    cell.command = failures.front()->command;
  }
  if (record.status != "ok") {
    cell.status = CellStatus::kFailed;
    cell.reason = record.reason.empty() ? "verification failed" : record.reason;
  } else if (times.empty()) {
    cell.status = CellStatus::kFailed;
    cell.reason = failures.empty() ? "not timed yet" : failures.front()->reason;
  }
  if (times.empty()) {
    return cell;
  }
  cell.trust = measure::judge(times, measure::TrustBounds{});
  cell.median_seconds = scaling::median(cell.seconds);
  cell.share_of_peak =
      median_share(cell, static_cast<double>(record.quantities.flops), comparable, peak_of);
  cell.share_of_bandwidth = median_share(cell, static_cast<double>(record.quantities.bytes),
                                         comparable, memory_bandwidth_of);
  if (cell.status == CellStatus::kOk && !failures.empty()) {
    cell.status = CellStatus::kMistrusted;
    cell.reason = fmt::format("failed in {} of {} rounds: {}", failures.size(), timings.size(),
                              failures.front()->reason);
  } else if (cell.status == CellStatus::kOk && !cell.trust.trusted) {
    cell.status = CellStatus::kMistrusted;
    cell.reason = cell.trust.reason;
  }
  return cell;
}

/// The rounds that all candidates share.
std::vector<int> shared_rounds(const std::vector<CellResult*>& candidates) {
  std::vector<int> shared = candidates.front()->rounds;
  for (const CellResult* cell : candidates) {
    shared = common_rounds(shared, cell->rounds);
  }
  return shared;
}

}  // namespace

std::vector<int> common_rounds(const std::vector<int>& a, const std::vector<int>& b) {
  std::vector<int> both;
  std::ranges::set_intersection(a, b, std::back_inserter(both));
  return both;
}

std::vector<double> seconds_in(const CellResult& cell, const std::vector<int>& rounds) {
  std::vector<double> seconds;
  for (const int round : rounds) {
    const auto found = std::ranges::lower_bound(cell.rounds, round);
    require(found != cell.rounds.end() && *found == round, "seconds_in: a round without a time");
    seconds.push_back(cell.seconds[static_cast<std::size_t>(found - cell.rounds.begin())]);
  }
  return seconds;
}

Result<ComparableRounds> comparable_rounds(const StudyJournal& journal) {
  ComparableRounds comparable;
  const auto first = std::ranges::find_if(journal.rounds, [&](const RoundRecord& round) {
    return round.backend == journal.plan.backend && round.threads == journal.plan.threads;
  });
  if (first == journal.rounds.end()) {
    return fail(
        "the journal holds {} rounds, none with the plan's backend '{}' and {} thread(s): run the "
        "study first",
        journal.rounds.size(), journal.plan.backend, journal.plan.threads);
  }
  for (const RoundRecord& round : journal.rounds) {
    if (const std::string differs = difference(round, *first); differs.empty()) {
      comparable.rounds[round.round] = &round;
    } else {
      comparable.notes.push_back(
          fmt::format("Round {} is left out: measured with {}.", round.round, differs));
    }
  }
  note_builds(comparable.rounds, comparable.notes);
  return comparable;
}

std::vector<CellResult> gather_cells(const StudyJournal& journal,
                                     const ComparableRounds& comparable) {
  std::map<std::string_view, std::map<int, const TimingRecord*>> timings;
  for (const TimingRecord& timing : journal.timings) {
    if (comparable.rounds.contains(timing.round)) {
      timings[timing.cell][timing.round] = &timing;
    }
  }
  std::vector<CellResult> cells;
  cells.reserve(journal.cells.size());
  for (const CellRecord& record : journal.cells) {
    cells.push_back(gather_cell(record, timings[record.cell], comparable));
  }
  return cells;
}

std::vector<int> choose_fitted(std::vector<CellResult>& cells, std::size_t study_rounds,
                               std::vector<std::string>& notes) {
  const std::size_t fewest = fewest_rounds(study_rounds);
  const auto leave_out = [&](CellResult& cell, const std::string& why) {
    cell.fitted = false;
    notes.push_back(fmt::format("{} is not fitted: {}.", cell.cell.cell, why));
  };
  std::vector<CellResult*> candidates;
  for (CellResult& cell : cells) {
    if (cell.status == CellStatus::kFailed) {
      leave_out(cell, fmt::format("failed: {}", cell.reason));
    } else if (cell.rounds.size() < fewest) {
      leave_out(cell, fmt::format("timed in {} of {} rounds, {} wanted", cell.rounds.size(),
                                  study_rounds, fewest));
    } else {
      cell.fitted = true;
      candidates.push_back(&cell);
    }
  }
  while (!candidates.empty()) {
    std::vector<int> shared = shared_rounds(candidates);
    if (shared.size() >= fewest) {
      if (shared.size() < study_rounds) {
        notes.push_back(fmt::format("Fitted over {} of {} rounds: those common to all its cells.",
                                    shared.size(), study_rounds));
      }
      return shared;
    }
    const auto fewest_of_all = std::ranges::min_element(
        candidates, {}, [](const CellResult* cell) { return cell->rounds.size(); });
    leave_out(**fewest_of_all, "it shares too few rounds with the other cells");
    candidates.erase(fewest_of_all);
  }
  return {};
}

}  // namespace interpscale::study
