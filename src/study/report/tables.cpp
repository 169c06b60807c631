// SPDX-License-Identifier: Apache-2.0
#include "study/report/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace interpscale::study {
namespace {

constexpr const char* kAbsent = "-";
/// An extrapolation whose interval spans more than this factor is withheld.
constexpr double kLargestSpan = 1e3;

struct Counts {
  std::size_t cells = 0;
  std::size_t fitted = 0;
  std::size_t mistrusted = 0;
  std::size_t failed = 0;
  double smallest = 0;
  double largest = 0;
};

Counts count(const SubjectResult& subject) {
  Counts counts;
  counts.cells = subject.cells.size();
  for (const CellResult& cell : subject.cells) {
    counts.mistrusted += static_cast<std::size_t>(cell.status == CellStatus::kMistrusted);
    counts.failed += static_cast<std::size_t>(cell.status == CellStatus::kFailed);
    if (cell.fitted) {
      const auto parameters = static_cast<double>(cell.cell.quantities.parameters);
      counts.smallest = counts.fitted == 0 ? parameters : std::min(counts.smallest, parameters);
      counts.largest = std::max(counts.largest, parameters);
      ++counts.fitted;
    }
  }
  return counts;
}

std::string cells_text(const Counts& counts) {
  return counts.fitted == counts.cells ? fmt::format("{}", counts.cells)
                                       : fmt::format("{} of {}", counts.fitted, counts.cells);
}

std::string trust_text(const Counts& counts) {
  if (counts.mistrusted == 0 && counts.failed == 0) {
    return "ok";
  }
  std::string text;
  if (counts.mistrusted > 0) {
    text = fmt::format("{} mistrusted", counts.mistrusted);
  }
  if (counts.failed > 0) {
    text += fmt::format("{}{} failed", text.empty() ? "" : ", ", counts.failed);
  }
  return text;
}

std::string exponent_text(const std::optional<scaling::TwoFactorFit>& fit,
                          const std::string& predictor) {
  if (!fit) {
    return kAbsent;
  }
  const std::optional<scaling::Exponent> exponent = fit->of(predictor);
  if (!exponent) {
    return fit->identifiability.identified ? kAbsent : "not identified";
  }
  return with_interval(exponent->value, exponent->interval);
}

std::string plain_exponent(const std::optional<scaling::TwoFactorFit>& fit,
                           const std::string& predictor) {
  const std::optional<scaling::Exponent> exponent =
      fit ? fit->of(predictor) : std::optional<scaling::Exponent>();
  return exponent ? fmt::format("{:.2f}", exponent->value) : kAbsent;
}

/// Measured less theory; bold where theory lies outside of the measured interval.
std::string difference_text(const SubjectResult& subject, const std::string& predictor) {
  if (!subject.joint || !subject.theory) {
    return kAbsent;
  }
  const std::optional<scaling::Exponent> measured = subject.joint->of(predictor);
  const std::optional<scaling::Exponent> theory = subject.theory->of(predictor);
  if (!measured || !theory) {
    return kAbsent;
  }
  const std::string text = fmt::format("{:+.2f}", measured->value - theory->value);
  return measured->interval.contains(theory->value) ? text : fmt::format("**{}**", text);
}

std::string one_factor_exponent(const std::optional<scaling::OneFactorFit>& fit) {
  return fit ? with_interval(fit->law.exponent, fit->exponent) : kAbsent;
}

std::string law_text(const std::optional<scaling::OneFactorFit>& fit) {
  return fit ? std::string(name_of(fit->law.kind)) : kAbsent;
}

std::string plain_exponent(const std::optional<scaling::OneFactorFit>& fit) {
  return fit ? fmt::format("{:.2f}", fit->law.exponent) : kAbsent;
}

std::string reference_tax_text(const SubjectResult& subject, double reference) {
  const scaling::RatioLaw& tax = *subject.tax;
  const bool extrapolated = subject.extrapolates_tax(reference);
  if (extrapolated &&
      tax.at_reference_interval.high > kLargestSpan * tax.at_reference_interval.low) {
    return "withheld: extrapolated over more than three decades";
  }
  return ratio_with_interval(tax.at_reference, tax.at_reference_interval) +
         (extrapolated ? " (extrapolated)" : "");
}

std::string figure_text(const experiments::LedgerLine& line) {
  if (!line.figure) {
    return kAbsent;
  }
  return line.quantity + ": " + ratio_with_interval(line.figure->value, line.figure->interval);
}

}  // namespace

Table laws_table(const StudyResult& result) {
  Table table({"subject", "cells", "decades of N", "exponent in N", "theory", "difference",
               "exponent in n", "theory", "difference", "R²", "predictors", "VIF",
               "of peak, largest", "trust"});
  for (const SubjectResult& subject : result.subjects) {
    const Counts counts = count(subject);
    const bool identified = subject.joint && subject.joint->identifiability.identified;
    const double vif = subject.joint ? subject.joint->identifiability.largest_vif : 0;
    const CellResult* const largest = subject.largest();
    table.add(
        {subject.label(), cells_text(counts),
         counts.fitted > 1 ? fmt::format("{:.1f}", std::log10(counts.largest / counts.smallest))
                           : kAbsent,
         exponent_text(subject.joint, "N"), plain_exponent(subject.theory, "N"),
         difference_text(subject, "N"), exponent_text(subject.joint, "n"),
         plain_exponent(subject.theory, "n"), difference_text(subject, "n"),
         identified ? fmt::format("{:.3f}", subject.joint->r_squared) : kAbsent,
         identified && !subject.joint->choice.chosen.empty() ? subject.joint->choice.chosen
                                                             : kAbsent,
         !subject.joint       ? kAbsent
         : std::isfinite(vif) ? fmt::format("{:.1f}", vif)
                              : "infinite",
         largest != nullptr ? percent_text(largest->share_of_peak) : kAbsent, trust_text(counts)});
  }
  return table;
}

Table one_factor_table(const StudyResult& result) {
  Table table({"subject", "law in N", "exponent", "theory", "overhead", "largest left out",
               "law in n", "exponent", "theory"});
  for (const SubjectResult& subject : result.subjects) {
    const auto& fit = subject.against_parameters;
    const bool overhead = fit && fit->law.kind == scaling::LawKind::kPowerWithOverhead;
    table.add(
        {subject.label(), law_text(fit), one_factor_exponent(fit),
         plain_exponent(subject.theory_against_parameters),
         overhead ? seconds_text(fit->law.overhead) : kAbsent,
         fit ? fmt::format("{:+.0f} %", 100 * std::expm1(fit->leave_largest_out_error)) : kAbsent,
         law_text(subject.against_neurons), one_factor_exponent(subject.against_neurons),
         plain_exponent(subject.theory_against_neurons)});
  }
  return table;
}

Table inputs_table(const StudyResult& result) {
  Table table({"subject", "exponent in N", "theory", "exponent in n", "theory", "exponent in d",
               "theory", "R²"});
  for (const SubjectResult& subject : result.subjects) {
    if (!subject.joint_with_inputs) {
      continue;
    }
    const auto& fit = subject.joint_with_inputs;
    const auto& theory = subject.theory_with_inputs;
    table.add({subject.label(), exponent_text(fit, "N"), plain_exponent(theory, "N"),
               exponent_text(fit, "n"), plain_exponent(theory, "n"), exponent_text(fit, "d"),
               plain_exponent(theory, "d"),
               fit->identifiability.identified ? fmt::format("{:.3f}", fit->r_squared) : kAbsent});
  }
  return table;
}

Table trusted_only_table(const StudyResult& result) {
  Table table({"subject", "in N alone, all cells", "trusted only", "in N, all cells",
               "trusted only", "in n, all cells", "trusted only"});
  for (const SubjectResult& subject : result.subjects) {
    if (!subject.against_parameters_trusted_only && !subject.joint_trusted_only) {
      continue;
    }
    table.add({subject.label(), one_factor_exponent(subject.against_parameters),
               one_factor_exponent(subject.against_parameters_trusted_only),
               exponent_text(subject.joint, "N"), exponent_text(subject.joint_trusted_only, "N"),
               exponent_text(subject.joint, "n"), exponent_text(subject.joint_trusted_only, "n")});
  }
  return table;
}

Table tax_table(const StudyResult& result) {
  Table table({"subject", "networks",
               fmt::format("tax at N = {}", count_text(result.tax_reference_parameters)),
               "exponent in N", "of declared FLOPs", "verdict"});
  for (const SubjectResult& subject : result.subjects) {
    if (!subject.tax) {
      continue;
    }
    table.add({subject.label(), fmt::format("{}", subject.tax_points.size()),
               reference_tax_text(subject, result.tax_reference_parameters),
               with_interval(subject.tax->exponent, subject.tax->interval),
               subject.theory_tax ? fmt::format("{:.2f}", subject.theory_tax->exponent) : kAbsent,
               std::string(name_of(subject.tax->growth))});
  }
  return table;
}

Table time_model_table(const StudyResult& result) {
  Table table({"subject", "cells", "within 15 %", "predicted / measured, smallest", "median",
               "largest", "not predicted", "explained"});
  for (const SubjectResult& subject : result.subjects) {
    const TimeModel& model = subject.time_model;
    if (model.cells.empty()) {
      continue;
    }
    std::vector<double> ratios;
    for (const PredictedCell& cell : model.cells) {
      ratios.push_back(cell.ratio);
    }
    const auto [low, high] = std::ranges::minmax(ratios);
    table.add({subject.label(), fmt::format("{}", model.cells.size()),
               fmt::format("{}", model.within), fmt::format("{:.2f}", low),
               fmt::format("{:.2f}", scaling::median(ratios)), fmt::format("{:.2f}", high),
               fmt::format("{}", model.not_predicted), model.explains() ? "yes" : "no"});
  }
  return table;
}

Table predicted_cells_table(const StudyResult& result) {
  Table table({"cell", "measured", "predicted", "predicted / measured"});
  for (const SubjectResult& subject : result.subjects) {
    for (const PredictedCell& cell : subject.time_model.cells) {
      table.add({cell.cell, seconds_text(cell.measured_seconds),
                 seconds_text(cell.predicted_seconds), fmt::format("{:.2f}", cell.ratio)});
    }
  }
  return table;
}

Table ledger_table(const StudyResult& result) {
  Table table({"claim", "statement", "measured", "verdict", "beside it", "experiment"});
  for (const experiments::LedgerLine& line : result.ledger) {
    table.add({line.claim, line.statement, figure_text(line),
               std::string(experiments::name_of(line.verdict)), line.detail, line.experiment});
  }
  return table;
}

Table doubtful_cells_table(const StudyResult& result) {
  Table table({"cell", "status", "fitted", "rounds", "reason", "to repeat it"});
  for (const SubjectResult& subject : result.subjects) {
    for (const CellResult& cell : subject.cells) {
      if (cell.status != CellStatus::kOk || !cell.fitted) {
        table.add({cell.cell.cell, std::string(name_of(cell.status)), cell.fitted ? "yes" : "no",
                   fmt::format("{}", cell.rounds.size()), cell.reason,
                   cell.command.empty() ? kAbsent : fmt::format("`{}`", cell.command)});
      }
    }
  }
  return table;
}

}  // namespace interpscale::study
