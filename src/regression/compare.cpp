// SPDX-License-Identifier: Apache-2.0
#include "interpscale/regression/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "interpscale/core/require.hpp"
#include "regression/exponents.hpp"
#include "regression/judge.hpp"
#include "regression/log_ratio.hpp"

namespace interpscale::regression {
namespace {

using scaling::Observation;

using CellsByName = std::map<std::string_view, const Observation*>;

Result<void> check_cell(const Observation& cell, std::string_view set, std::size_t rounds) {
  if (cell.rounds.size() < kFewestRounds) {
    return fail("{}, cell '{}': found {} rounds, wanted at least {}: measure more rounds", set,
                cell.name, cell.rounds.size(), kFewestRounds);
  }
  if (cell.rounds.size() != rounds) {
    return fail("{}, cell '{}': found {} rounds, wanted {} as its first cell has", set, cell.name,
                cell.rounds.size(), rounds);
  }
  for (std::size_t r = 0; r < rounds; ++r) {
    if (!std::isfinite(cell.rounds[r]) || cell.rounds[r] <= 0) {
      return fail("{}, cell '{}', round {}: found time {}, wanted a positive finite number", set,
                  cell.name, r, cell.rounds[r]);
    }
  }
  return {};
}

Result<CellsByName> index_cells(std::span<const Observation> cells, std::string_view set) {
  CellsByName by_name;
  for (const Observation& cell : cells) {
    if (const Result<void> checked = check_cell(cell, set, cells.front().rounds.size()); !checked) {
      return tl::unexpected(checked.error());
    }
    if (!by_name.emplace(cell.name, &cell).second) {
      return fail("{}: cell '{}' occurs twice, wanted one of each name", set, cell.name);
    }
  }
  return by_name;
}

std::vector<std::string> names_missing_in(const CellsByName& other,
                                          std::span<const Observation> cells) {
  std::vector<std::string> missing;
  for (const Observation& cell : cells) {
    if (!other.contains(cell.name)) {
      missing.push_back(cell.name);
    }
  }
  return missing;
}

bool same_problem(const Observation& a, const Observation& b) {
  return a.parameters == b.parameters && a.neurons == b.neurons && a.batch == b.batch &&
         a.inputs == b.inputs;
}

std::string note_of(const Comparison& comparison, const CompareOptions& options) {
  std::string note;
  if (!comparison.paired) {
    note = fmt::format(
        "saved results, not measured side by side: the threshold is {:g} % instead of {:g} %",
        100 * options.unpaired_threshold, 100 * options.threshold);
  }
  if (!comparison.only_base.empty() || !comparison.only_candidate.empty()) {
    note += fmt::format("{}not compared: {} cells of the base alone, {} of the candidate alone",
                        note.empty() ? "" : "; ", comparison.only_base.size(),
                        comparison.only_candidate.size());
  }
  return note;
}

Result<void> check_pairs(std::span<const Observation> base,
                         std::span<const Observation> candidate) {
  const std::size_t below = base.front().rounds.size();
  const std::size_t above = candidate.front().rounds.size();
  if (below != above) {
    return fail(
        "found {} rounds of the base and {} of the candidate, wanted as many: pair them, or "
        "compare as unpaired",
        below, above);
  }
  return {};
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kRegressed:
      return "regressed";
    case Verdict::kImproved:
      return "improved";
    case Verdict::kUnchanged:
      return "unchanged";
    case Verdict::kInconclusive:
      return "inconclusive";
  }
  require(false, "an unknown verdict");
  return {};
}

int exit_code(Verdict verdict) {
  switch (verdict) {
    case Verdict::kRegressed:
      return 1;
    case Verdict::kInconclusive:
      return 3;
    case Verdict::kImproved:
    case Verdict::kUnchanged:
      return 0;
  }
  require(false, "an unknown verdict");
  return 0;
}

Result<Comparison> compare(std::span<const Observation> base,
                           std::span<const Observation> candidate, const CompareOptions& options) {
  require(options.threshold > 0 && options.unpaired_threshold >= options.threshold,
          "a positive threshold, no wider paired than unpaired");
  const Result<CellsByName> base_cells = index_cells(base, "base");
  if (!base_cells) {
    return tl::unexpected(base_cells.error());
  }
  const Result<CellsByName> candidate_cells = index_cells(candidate, "candidate");
  if (!candidate_cells) {
    return tl::unexpected(candidate_cells.error());
  }
  Comparison comparison;
  comparison.paired = options.paired;
  comparison.threshold = options.paired ? options.threshold : options.unpaired_threshold;
  comparison.only_base = names_missing_in(*candidate_cells, base);
  comparison.only_candidate = names_missing_in(*base_cells, candidate);
  if (comparison.only_base.size() == base.size()) {
    return fail("base ({} cells) and candidate ({} cells) have no cell in common", base.size(),
                candidate.size());
  }
  if (options.paired) {
    if (const Result<void> checked = check_pairs(base, candidate); !checked) {
      return tl::unexpected(checked.error());
    }
  }
  comparison.note = note_of(comparison, options);
  std::vector<LogRatio> ratios;
  std::vector<SizedRatio> points;
  for (const Observation& below : base) {
    const auto found = candidate_cells->find(below.name);
    if (found == candidate_cells->end()) {
      continue;
    }
    if (!same_problem(below, *found->second)) {
      return fail(
          "cell '{}' is another problem in the candidate (N {}, n {}, B {}, d {}) than in the base "
          "(N {}, n {}, B {}, d {}): compare results of the same plan",
          below.name, found->second->parameters, found->second->neurons, found->second->batch,
          found->second->inputs, below.parameters, below.neurons, below.batch, below.inputs);
    }
    const std::vector<double>& above = found->second->rounds;
    ratios.push_back(options.paired ? paired_log_ratio(below.rounds, above)
                                    : unpaired_log_ratio(below.rounds, above));
    points.push_back({below.name, below.parameters, scaling::median(below.rounds), ratios.back()});
    comparison.cells.push_back(describe(below, *found->second));
  }
  const double margin = std::log1p(comparison.threshold);
  const std::vector<Judgement> judgements = judge(ratios, margin, kFamilyLevel);
  for (std::size_t i = 0; i < judgements.size(); ++i) {
    enter(judgements[i], ratios[i], margin, comparison.cells[i]);
  }
  comparison.exponents = compare_exponents(points);
  conclude(comparison);
  return comparison;
}

}  // namespace interpscale::regression
