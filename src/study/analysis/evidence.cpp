// From fits to the figures that experiments judge by.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/experiments/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "interpscale/study/analysis.hpp"

namespace interpscale::study {
namespace {

using experiments::Figure;

std::optional<Figure> exponent_of(const std::optional<scaling::OneFactorFit>& fit) {
  return fit ? std::optional<Figure>(Figure{fit->law.exponent, fit->exponent}) : std::nullopt;
}

std::optional<Figure> exponent_of(const scaling::TwoFactorFit& fit, std::string_view predictor) {
  const std::optional<scaling::Exponent> exponent = fit.of(predictor);
  return exponent ? std::optional<Figure>(Figure{exponent->value, exponent->interval})
                  : std::nullopt;
}

experiments::SubjectEvidence evidence_of(const SubjectResult& subject,
                                         double reference_parameters) {
  experiments::SubjectEvidence evidence;
  evidence.subject = subject.subject;
  evidence.variant = subject.variant;
  for (const CellResult& cell : subject.cells) {
    if (!cell.fitted) {
      continue;
    }
    const auto parameters = static_cast<double>(cell.cell.quantities.parameters);
    evidence.smallest_parameters =
        evidence.cells == 0 ? parameters : std::min(evidence.smallest_parameters, parameters);
    evidence.largest_parameters = std::max(evidence.largest_parameters, parameters);
    evidence.mistrusted += cell.status == CellStatus::kMistrusted ? 1 : 0;
    ++evidence.cells;
  }
  evidence.against_parameters = exponent_of(subject.against_parameters);
  evidence.against_neurons = exponent_of(subject.against_neurons);
  if (subject.joint && subject.joint->identifiability.identified) {
    evidence.joint_parameters = exponent_of(*subject.joint, "N");
    evidence.joint_neurons = exponent_of(*subject.joint, "n");
    evidence.choice = subject.joint->choice;
  }
  if (subject.tax) {
    evidence.tax =
        experiments::TaxEvidence{{subject.tax->exponent, subject.tax->interval},
                                 subject.tax->growth,
                                 {subject.tax->at_reference, subject.tax->at_reference_interval},
                                 subject.extrapolates_tax(reference_parameters)};
  }
  evidence.step_tax = subject.step_tax;
  evidence.training_taxes = subject.training_taxes;
  return evidence;
}

std::string setting_of(const StudyJournal& journal) {
  const auto& plan = journal.plan;
  std::string cpu = "unknown CPU";
  if (!journal.rounds.empty()) {
    cpu = journal.rounds.front().environment.cpu;
  }
  return fmt::format("MLPs on {}, batch {}, {} backend, {} thread{}, {}", plan.data, plan.batch,
                     plan.backend, plan.threads, plan.threads == 1 ? "" : "s", cpu);
}

std::vector<experiments::SizeEvidence> sizes_of(const StudyResult& result) {
  std::vector<experiments::SizeEvidence> sizes;
  std::set<std::string_view> seen;
  for (const SubjectResult& subject : result.subjects) {
    for (const CellResult& cell : subject.cells) {
      if (seen.insert(cell.cell.topology).second) {
        const measure::Quantities& quantities = cell.cell.quantities;
        sizes.push_back({quantities.inputs, cell.cell.width, cell.cell.depth, quantities.parameters,
                         quantities.neurons});
      }
    }
  }
  return sizes;
}

}  // namespace

experiments::Evidence evidence_of(const StudyResult& result) {
  experiments::Evidence evidence;
  for (const SubjectResult& subject : result.subjects) {
    evidence.subjects.push_back(evidence_of(subject, result.tax_reference_parameters));
  }
  evidence.sizes = sizes_of(result);
  for (const TaskResult& task : result.trainings) {
    evidence.trainings.push_back(evidence_of(task));
  }
  evidence.outcomes = result.journal.experiments;
  evidence.setting = setting_of(result.journal);
  evidence.tax_denominator = result.tax_denominator;
  evidence.tax_reference_parameters = result.tax_reference_parameters;
  return evidence;
}

}  // namespace interpscale::study
