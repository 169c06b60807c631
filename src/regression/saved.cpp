// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <regex>
#include <utility>

#include "interpscale/regression/results.hpp"
#include "regression/judge.hpp"
#include "regression/server.hpp"

namespace interpscale::regression {
namespace {

Result<void> check_rounds(const ResultSet& results, std::string_view side) {
  for (const scaling::Observation& cell : results.cells) {
    if (cell.rounds.size() < kFewestRounds) {
      return fail(
          "{}: {}, cell '{}': found {} {}, wanted at least {} to know a spread: measure "
          "more rounds (--benchmark_repetitions={})",
          results.source, side, cell.name, cell.rounds.size(),
          cell.rounds.size() == 1 ? "round" : "rounds", kFewestRounds, kFewestRounds);
    }
  }
  return {};
}

/// Every cell cut to the rounds that the one with the fewest has.
void level(ResultSet& results) {
  std::size_t fewest = results.cells.front().rounds.size();
  for (const scaling::Observation& cell : results.cells) {
    fewest = std::min(fewest, cell.rounds.size());
  }
  for (scaling::Observation& cell : results.cells) {
    cell.rounds.resize(fewest);
  }
}

}  // namespace

Result<ResultSet> filtered(ResultSet results, const std::string& filter) {
  std::vector<std::string> names;
  for (const scaling::Observation& cell : results.cells) {
    names.push_back(cell.name);
  }
  const Result<std::vector<bool>> kept = kept_by(filter, names);
  if (!kept) {
    return tl::unexpected(kept.error());
  }
  std::vector<scaling::Observation> cells;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if ((*kept)[i]) {
      cells.push_back(std::move(results.cells[i]));
    }
  }
  if (cells.empty() && !names.empty()) {
    return fail("{}: no cell matches the filter '{}'", results.source, filter);
  }
  results.cells = std::move(cells);
  return results;
}

Result<Comparison> compare_saved(const ResultSet& base, const ResultSet& candidate,
                                 const CompareOptions& options, bool allow_different_machines) {
  const std::string difference = difference_of(base.machine, candidate.machine);
  if (!difference.empty() && !allow_different_machines) {
    return fail(
        "{} and {} were measured on different machines or targets ({}); to compare them all "
        "the same: --allow-different-machines",
        base.source, candidate.source, difference);
  }
  ResultSet below = base;
  ResultSet above = candidate;
  for (ResultSet* results : {&below, &above}) {
    if (results->cells.empty()) {
      return fail("{}: no cell with a time", results->source);
    }
    const Result<void> checked = check_rounds(*results, results == &below ? "base" : "candidate");
    if (!checked) {
      return tl::unexpected(checked.error());
    }
    level(*results);
  }
  CompareOptions unpaired = options;
  unpaired.paired = false;
  Result<Comparison> comparison = compare(below.cells, above.cells, unpaired);
  if (!comparison) {
    return comparison;
  }
  comparison->base_label = base.source;
  comparison->candidate_label = candidate.source;
  comparison->machine = candidate.machine;
  if (!difference.empty()) {
    comparison->note += "; across machines, as asked: " + difference;
  }
  for (const ResultSet* results : {&base, &candidate}) {
    for (const auto& [name, reason] : results->failed) {
      comparison->failed.emplace_back(name, results->source + ": " + reason);
    }
  }
  conclude(*comparison);
  return comparison;
}

}  // namespace interpscale::regression
