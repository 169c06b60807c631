// SPDX-License-Identifier: Apache-2.0
#include "study/analysis/fits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>

#include "study/analysis/rounds.hpp"

namespace interpscale::study {
namespace {

using scaling::Observation;
using Cells = std::vector<const CellResult*>;

/// Named by topology: that is how a tax pairs its cells.
Observation observation_of(const CellResult& cell, std::vector<double> rounds) {
  const measure::Quantities& quantities = cell.cell.quantities;
  return {.name = cell.cell.topology,
          .parameters = static_cast<double>(quantities.parameters),
          .neurons = static_cast<double>(quantities.neurons),
          .batch = static_cast<double>(quantities.batch),
          .inputs = static_cast<double>(quantities.inputs),
          .rounds = std::move(rounds),
          .expected = static_cast<double>(quantities.flops)};
}

std::vector<Observation> measured(const Cells& cells, const std::vector<int>& rounds) {
  std::vector<Observation> observations;
  for (const CellResult* cell : cells) {
    observations.push_back(observation_of(*cell, seconds_in(*cell, rounds)));
  }
  return observations;
}

/// The declared FLOPs, as a single exact round.
std::vector<Observation> declared(const Cells& cells) {
  std::vector<Observation> observations;
  for (const CellResult* cell : cells) {
    observations.push_back(
        observation_of(*cell, {static_cast<double>(cell->cell.quantities.flops)}));
  }
  return observations;
}

std::vector<double> sizes_of(const std::vector<Observation>& observations,
                             double Observation::*size) {
  std::vector<double> sizes;
  for (const Observation& observation : observations) {
    sizes.push_back(observation.*size);
  }
  return sizes;
}

/// The value, or nothing and a note of what failed and why.
template <class T>
std::optional<T> or_note(Result<T> result, const char* what, std::vector<std::string>& notes) {
  if (!result) {
    notes.push_back(fmt::format("No {}: {}.", what, result.error().message));
    return std::nullopt;
  }
  return std::move(*result);
}

Cells fitted_cells(const SubjectResult& subject,
                   const std::function<bool(const CellResult&)>& take) {
  Cells cells;
  for (const CellResult& cell : subject.cells) {
    if (cell.fitted && take(cell)) {
      cells.push_back(&cell);
    }
  }
  return cells;
}

bool any_cell(const CellResult&) {
  return true;
}
bool trusted_cell(const CellResult& cell) {
  return cell.status == CellStatus::kOk;
}

/// Those of the family; all where there is none, or too few for a law.
Cells family_of(const Cells& cells, const std::optional<Family>& family, const char* what,
                std::vector<std::string>& notes) {
  if (!family) {
    return cells;
  }
  Cells members;
  std::ranges::copy_if(cells, std::back_inserter(members), [&](const CellResult* cell) {
    return cell->cell.quantities.inputs == family->inputs && cell->cell.depth == family->depth;
  });
  constexpr std::size_t kLeastForLaw = 4;
  if (members.size() < kLeastForLaw) {
    notes.push_back(
        fmt::format("Only {} cells of the family (d = {}, {} hidden layers): {} of all cells.",
                    members.size(), family->inputs, family->depth, what));
    return cells;
  }
  return members;
}

bool inputs_vary(const Cells& cells) {
  return std::ranges::any_of(cells, [&](const CellResult* cell) {
    return cell->cell.quantities.inputs != cells.front()->cell.quantities.inputs;
  });
}

/// Theory is complete where the measured fit is: its failures need no note of their own.
template <class T>
std::optional<T> quietly(Result<T> result) {
  return result ? std::optional<T>(std::move(*result)) : std::nullopt;
}

/// In one measure of size: of the family.
void fit_one_factor_laws(SubjectResult& subject, const Cells& members,
                         const scaling::BootstrapOptions& options) {
  const std::vector<Observation> times = measured(members, subject.fitted_rounds);
  subject.against_parameters =
      or_note(fit_one_factor(sizes_of(times, &Observation::parameters), times, options),
              "law against N", subject.notes);
  subject.against_neurons =
      or_note(fit_one_factor(sizes_of(times, &Observation::neurons), times, options),
              "law against n", subject.notes);
  const std::vector<Observation> flops = declared(members);
  subject.theory_against_parameters =
      quietly(fit_one_factor(sizes_of(flops, &Observation::parameters), flops, options));
  subject.theory_against_neurons =
      quietly(fit_one_factor(sizes_of(flops, &Observation::neurons), flops, options));
}

void fit_measured(SubjectResult& subject, const Cells& cells,
                  const scaling::BootstrapOptions& options) {
  const std::vector<Observation> times = measured(cells, subject.fitted_rounds);
  subject.joint = or_note(fit_two_factors(times, false, options), "law in N and n", subject.notes);
  if (inputs_vary(cells)) {
    subject.joint_with_inputs =
        or_note(fit_two_factors(times, true, options), "law in N, n and d", subject.notes);
  }
  for (const auto& [fit, size] :
       {std::pair{&subject.against_parameters, "N"}, std::pair{&subject.against_neurons, "n"}}) {
    if (*fit && (*fit)->theil_sen_disagrees) {
      subject.notes.push_back(
          fmt::format("Against {} the exponent {:.2f} and the Theil-Sen slope {:.2f} disagree.",
                      size, (*fit)->law.exponent, (*fit)->theil_sen));
    }
    if (*fit && (*fit)->has_break()) {
      const scaling::RegimeBreak& step = (*fit)->strongest_break;
      subject.notes.push_back(fmt::format(
          "Against {} the times take a step of x{:.2f} between {:.3g} and {:.3g} (p = {:.2g}), as "
          "where a working set outgrows a cache: no one smooth law holds on both sides.",
          size, std::exp(step.step), step.from, step.to, step.p_value));
    }
  }
}

void fit_theory(SubjectResult& subject, const Cells& cells,
                const scaling::BootstrapOptions& options) {
  const bool all_declared = std::ranges::all_of(
      cells, [](const CellResult* cell) { return cell->cell.quantities.flops > 0; });
  if (!all_declared) {
    subject.notes.emplace_back("No theory: some cell declares no FLOPs.");
    return;
  }
  const std::vector<Observation> flops = declared(cells);
  subject.theory = quietly(fit_two_factors(flops, false, options));
  if (inputs_vary(cells)) {
    subject.theory_with_inputs = quietly(fit_two_factors(flops, true, options));
  }
}

void fit_trusted_only(SubjectResult& subject, std::size_t all_cells,
                      const std::optional<Family>& family,
                      const scaling::BootstrapOptions& options) {
  const Cells trusted = fitted_cells(subject, trusted_cell);
  if (trusted.size() == all_cells) {
    return;
  }
  if (trusted.empty()) {
    subject.notes.emplace_back("No law of trusted cells: all are mistrusted.");
    return;
  }
  const std::vector<Observation> times = measured(trusted, subject.fitted_rounds);
  const std::vector<Observation> members = measured(
      family_of(trusted, family, "law of trusted cells", subject.notes), subject.fitted_rounds);
  subject.against_parameters_trusted_only =
      or_note(fit_one_factor(sizes_of(members, &Observation::parameters), members, options),
              "law against N of trusted cells", subject.notes);
  subject.joint_trusted_only = or_note(fit_two_factors(times, false, options),
                                       "law in N and n of trusted cells", subject.notes);
}

TaxPoint tax_point(const CellResult& above, const CellResult& below,
                   const std::vector<int>& rounds) {
  std::vector<double> ratios = seconds_in(above, rounds);
  std::ranges::transform(ratios, seconds_in(below, rounds), ratios.begin(), std::divides<>());
  return {above.cell.topology, static_cast<double>(above.cell.quantities.parameters),
          scaling::median(std::move(ratios))};
}

/// The tax at each of the stated sizes; nothing where it cannot be fitted.
std::optional<experiments::PowerFigure> stated_tax(const std::vector<Observation>& above,
                                                   const std::vector<Observation>& below,
                                                   const scaling::BootstrapOptions& options) {
  const std::vector<double> sizes = sizes_of(above, &Observation::parameters);
  experiments::PowerFigure law;
  for (std::size_t i = 0; i < experiments::kStatedSizes.size(); ++i) {
    const Result<scaling::RatioLaw> fit =
        fit_ratio(sizes, above, below, experiments::kStatedSizes[i], kTaxConstantWithin, options);
    if (!fit) {
      return std::nullopt;
    }
    law.exponent = {fit->exponent, fit->interval};
    law.at[i] = {fit->at_reference, fit->at_reference_interval};
  }
  const auto [smallest, largest] = std::ranges::minmax(sizes);
  law.smallest = smallest;
  law.largest = largest;
  return law;
}

}  // namespace

void fit_laws(SubjectResult& subject, const std::optional<Family>& family,
              const scaling::BootstrapOptions& options) {
  const Cells cells = fitted_cells(subject, any_cell);
  if (cells.empty()) {
    subject.notes.emplace_back("No laws: no cell can be fitted.");
    return;
  }
  fit_one_factor_laws(subject, family_of(cells, family, "one-factor laws", subject.notes), options);
  fit_measured(subject, cells, options);
  fit_theory(subject, cells, options);
  fit_trusted_only(subject, cells.size(), family, options);
}

void fit_tax(SubjectResult& subject, const SubjectResult& denominator,
             const std::optional<Family>& family, double reference_parameters,
             const scaling::BootstrapOptions& options) {
  const std::vector<int> rounds = common_rounds(subject.fitted_rounds, denominator.fitted_rounds);
  if (rounds.empty()) {
    subject.notes.push_back(
        fmt::format("No tax: no rounds in common with {}.", denominator.label()));
    return;
  }
  Cells above;
  Cells below;
  for (const CellResult* cell :
       family_of(fitted_cells(subject, any_cell), family, "tax", subject.notes)) {
    const Cells partner = fitted_cells(denominator, [&](const CellResult& other) {
      return other.cell.topology == cell->cell.topology &&
             other.cell.quantities.batch == cell->cell.quantities.batch;
    });
    if (!partner.empty()) {
      above.push_back(cell);
      below.push_back(partner.front());
      subject.tax_points.push_back(tax_point(*cell, *partner.front(), rounds));
    }
  }
  const std::vector<Observation> numerator = measured(above, rounds);
  subject.tax =
      or_note(fit_ratio(sizes_of(numerator, &Observation::parameters), numerator,
                        measured(below, rounds), reference_parameters, kTaxConstantWithin, options),
              "tax", subject.notes);
  subject.step_tax = stated_tax(numerator, measured(below, rounds), options);
  const std::vector<Observation> flops = declared(above);
  if (std::ranges::all_of(flops, [](const Observation& cell) { return cell.rounds.front() > 0; })) {
    subject.theory_tax =
        quietly(fit_ratio(sizes_of(flops, &Observation::parameters), flops, declared(below),
                          reference_parameters, kTaxConstantWithin, options));
  }
}

}  // namespace interpscale::study
