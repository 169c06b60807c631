// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/analysis.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "interpscale/core/require.hpp"
#include "interpscale/experiments/registry.hpp"
#include "study/analysis/fits.hpp"
#include "study/analysis/rounds.hpp"

namespace interpscale::study {
namespace {

/// Passes before methods, then the order in which the plan names them ("zero_ablation:fast";
/// without a variant, a method's variants together), then names.
std::pair<bool, std::size_t> place_in_plan(const Plan& plan, const SubjectResult& subject) {
  const std::string full =
      subject.variant.empty() ? subject.subject : subject.subject + ":" + subject.variant;
  const auto found = std::ranges::find_if(plan.subjects, [&](const std::string& named) {
    return named == full || named == subject.subject;
  });
  return {!subject.variant.empty(), static_cast<std::size_t>(found - plan.subjects.begin())};
}

std::vector<SubjectResult> group_by_subject(std::vector<CellResult> cells, const Plan& plan) {
  std::map<std::pair<std::string, std::string>, SubjectResult> groups;
  for (CellResult& cell : cells) {
    SubjectResult& group = groups[{cell.cell.subject, cell.cell.variant}];
    group.subject = cell.cell.subject;
    group.variant = cell.cell.variant;
    group.cells.push_back(std::move(cell));
  }
  std::vector<SubjectResult> subjects;
  for (auto& [key, group] : groups) {
    std::ranges::sort(group.cells, {}, [](const CellResult& cell) {
      return std::tuple(cell.cell.quantities.parameters, cell.cell.quantities.neurons,
                        std::string_view(cell.cell.cell));
    });
    subjects.push_back(std::move(group));
  }
  std::ranges::stable_sort(
      subjects, {}, [&](const SubjectResult& subject) { return place_in_plan(plan, subject); });
  return subjects;
}

/// The sizes at which 32-bit weights fill the machine's caches: where slopes may change.
void mark_caches(const ComparableRounds& comparable, std::vector<std::string>& notes) {
  constexpr double kBytesPerWeight = 4;
  const std::vector<measure::Cache>& caches = comparable.rounds.begin()->second->environment.caches;
  std::vector<std::string> marks;
  for (const measure::Cache& cache : caches) {
    const auto bytes = static_cast<double>(cache.bytes);
    marks.push_back(fmt::format("L{} at N = {:.2g}", cache.level, bytes / kBytesPerWeight));
  }
  if (!marks.empty()) {
    notes.push_back(
        fmt::format("Weights alone fill {}: slopes may change there.", fmt::join(marks, ", ")));
  }
}

void fit_taxes(StudyResult& result, const scaling::BootstrapOptions& options) {
  const auto found = std::ranges::find_if(result.subjects, [&](const SubjectResult& subject) {
    return subject.subject == result.tax_denominator && subject.variant.empty();
  });
  if (found == result.subjects.end()) {
    result.notes.push_back("No taxes: the study does not time '" + result.tax_denominator + "'.");
    return;
  }
  for (SubjectResult& subject : result.subjects) {
    if (&subject != &*found && !subject.fitted_rounds.empty()) {
      fit_tax(subject, *found, result.family, result.tax_reference_parameters, options);
    }
  }
}

}  // namespace

std::string_view name_of(CellStatus status) {
  switch (status) {
    case CellStatus::kOk:
      return "ok";
    case CellStatus::kMistrusted:
      return "mistrusted";
    case CellStatus::kFailed:
      return "failed";
  }
  require(false, "an unknown status");
  return {};
}

std::optional<Family> widest_family(const std::vector<CellRecord>& cells) {
  std::map<std::pair<std::uint64_t, std::size_t>, std::set<std::size_t>> widths;
  for (const CellRecord& cell : cells) {
    widths[{cell.quantities.inputs, cell.depth}].insert(cell.width);
  }
  std::optional<Family> widest;
  for (const auto& [shape, members] : widths) {
    if (members.size() >= kLeastFamily && (!widest || members.size() > widest->widths)) {
      widest = {shape.first, shape.second, members.size()};
    }
  }
  return widest;
}

std::string SubjectResult::label() const {
  return variant.empty() ? subject : subject + " (" + variant + ")";
}

bool deviates_from_theory(const SubjectResult& subject) {
  if (!subject.joint || !subject.theory) {
    return false;
  }
  return std::ranges::any_of(std::array{"N", "n"}, [&](const char* predictor) {
    const std::optional<scaling::Exponent> measured = subject.joint->of(predictor);
    const std::optional<scaling::Exponent> expected = subject.theory->of(predictor);
    return measured && expected && std::abs(measured->value - expected->value) > kTheoryWithin;
  });
}

bool SubjectResult::extrapolates_tax(double parameters) const {
  return tax_points.empty() || parameters < tax_points.front().parameters ||
         parameters > tax_points.back().parameters;
}

const CellResult* SubjectResult::largest() const {
  const CellResult* largest = nullptr;
  for (const CellResult& cell : cells) {
    if (cell.fitted && (largest == nullptr ||
                        cell.cell.quantities.parameters >= largest->cell.quantities.parameters)) {
      largest = &cell;
    }
  }
  return largest;
}

const SubjectResult* StudyResult::find(std::string_view subject, std::string_view variant) const {
  const auto found = std::ranges::find_if(subjects, [&](const SubjectResult& candidate) {
    return candidate.subject == subject && candidate.variant == variant;
  });
  return found == subjects.end() ? nullptr : &*found;
}

Result<StudyResult> analyse(StudyJournal journal, const scaling::BootstrapOptions& options) {
  if (journal.cells.empty()) {
    return fail("the journal holds no cells: run the study first");
  }
  Result<ComparableRounds> comparable = comparable_rounds(journal);
  if (!comparable) {
    return tl::unexpected(comparable.error());
  }
  StudyResult result;
  result.notes = std::move(comparable->notes);
  mark_caches(*comparable, result.notes);
  result.family = widest_family(journal.cells);
  result.subjects = group_by_subject(gather_cells(journal, *comparable), journal.plan);
  // Rounds beyond the plan's re-measure single cells: no cell needs them.
  const std::size_t study_rounds = std::min(
      comparable->rounds.size(), static_cast<std::size_t>(std::max(1, journal.plan.rounds)));
  for (SubjectResult& subject : result.subjects) {
    subject.fitted_rounds = choose_fitted(subject.cells, study_rounds, subject.notes);
    fit_laws(subject, result.family, options);
  }
  fit_taxes(result, options);
  result.trainings = analyse_trainings(journal, options);
  fit_training_taxes(result, journal.plan);
  for (SubjectResult& subject : result.subjects) {
    subject.time_model = predict_times(subject, journal);
  }
  result.journal = std::move(journal);
  result.ledger = experiments::claims_ledger(experiments::all_experiments(), evidence_of(result));
  return result;
}

}  // namespace interpscale::study
