// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "interpscale/study/report.hpp"
#include "study/report/format.hpp"
#include "study/report/tables.hpp"

namespace interpscale::study {
namespace {

/// The shortest text that reads back as the same number; empty where it is not finite.
std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : std::string();
}

/// value, low, high: three fields, empty where there is no figure.
void append_figure(std::vector<std::string>& row,
                   const std::optional<experiments::Figure>& figure) {
  row.push_back(figure ? number(figure->value) : "");
  row.push_back(figure ? number(figure->interval.low) : "");
  row.push_back(figure ? number(figure->interval.high) : "");
}

std::optional<experiments::Figure> figure_of(const std::optional<scaling::OneFactorFit>& fit) {
  return fit ? std::optional<experiments::Figure>({fit->law.exponent, fit->exponent})
             : std::nullopt;
}

std::optional<experiments::Figure> figure_of(const std::optional<scaling::TwoFactorFit>& fit,
                                             const char* predictor) {
  const auto exponent = fit ? fit->of(predictor) : std::optional<scaling::Exponent>();
  return exponent ? std::optional<experiments::Figure>({exponent->value, exponent->interval})
                  : std::nullopt;
}

std::vector<std::string> laws_row(const SubjectResult& subject) {
  std::vector<std::string> row{subject.subject, subject.variant,
                               fmt::format("{}", subject.cells.size())};
  append_figure(row, figure_of(subject.against_parameters));
  append_figure(row, figure_of(subject.against_neurons));
  append_figure(row, figure_of(subject.joint, "N"));
  append_figure(row, figure_of(subject.joint, "n"));
  const auto theory_parameters = figure_of(subject.theory, "N");
  const auto theory_neurons = figure_of(subject.theory, "n");
  row.push_back(theory_parameters ? number(theory_parameters->value) : "");
  row.push_back(theory_neurons ? number(theory_neurons->value) : "");
  const bool identified = subject.joint && subject.joint->identifiability.identified;
  row.push_back(identified ? number(subject.joint->r_squared) : "");
  row.push_back(subject.joint ? number(subject.joint->identifiability.largest_vif) : "");
  row.push_back(subject.joint ? number(subject.joint->identifiability.condition_number) : "");
  std::optional<experiments::Figure> tax;
  std::optional<experiments::Figure> tax_exponent;
  if (subject.tax) {
    tax = {subject.tax->at_reference, subject.tax->at_reference_interval};
    tax_exponent = {subject.tax->exponent, subject.tax->interval};
  }
  append_figure(row, tax);
  append_figure(row, tax_exponent);
  row.push_back(subject.tax ? std::string(name_of(subject.tax->growth)) : "");
  return row;
}

}  // namespace

std::string cells_csv(const StudyResult& result) {
  Table table({"cell",
               "subject",
               "variant",
               "topology",
               "inputs",
               "width",
               "depth",
               "parameters",
               "neurons",
               "batch",
               "flops",
               "bytes",
               "status",
               "fitted",
               "rounds",
               "median_seconds",
               "relative_mad",
               "share_of_peak",
               "share_of_bandwidth",
               "reason"});
  for (const SubjectResult& subject : result.subjects) {
    for (const CellResult& cell : subject.cells) {
      const measure::Quantities& q = cell.cell.quantities;
      const auto if_timed = [&](double value) {
        return cell.rounds.empty() ? std::string() : number(value);
      };
      table.add({cell.cell.cell,
                 subject.subject,
                 subject.variant,
                 cell.cell.topology,
                 fmt::format("{}", q.inputs),
                 fmt::format("{}", cell.cell.width),
                 fmt::format("{}", cell.cell.depth),
                 fmt::format("{}", q.parameters),
                 fmt::format("{}", q.neurons),
                 fmt::format("{}", q.batch),
                 fmt::format("{}", q.flops),
                 fmt::format("{}", q.bytes),
                 std::string(name_of(cell.status)),
                 cell.fitted ? "yes" : "no",
                 fmt::format("{}", cell.rounds.size()),
                 if_timed(cell.median_seconds),
                 if_timed(cell.trust.relative_mad),
                 if_timed(cell.share_of_peak),
                 if_timed(cell.share_of_bandwidth),
                 cell.reason});
    }
  }
  return table.csv();
}

std::string laws_csv(const StudyResult& result) {
  std::vector<std::string> header{"subject", "variant", "cells"};
  const auto add_figure = [&](const std::string& name) {
    for (const char* suffix : {"", "_low", "_high"}) {
      header.push_back(fmt::format("{}{}", name, suffix));
    }
  };
  for (const char* name : {"exponent_N_alone", "exponent_n_alone", "exponent_N", "exponent_n"}) {
    add_figure(name);
  }
  for (const char* name : {"theory_N", "theory_n", "r_squared", "vif", "condition_number"}) {
    header.emplace_back(name);
  }
  add_figure("tax");
  add_figure("tax_exponent");
  header.emplace_back("tax_verdict");
  Table table(header);
  for (const SubjectResult& subject : result.subjects) {
    table.add(laws_row(subject));
  }
  return table.csv();
}

std::string laws_text(const StudyResult& result) {
  std::string text = laws_table(result).text() + "\n" + one_factor_table(result).text();
  if (const Table taxes = tax_table(result); !taxes.empty()) {
    text += fmt::format("\n{}", taxes.text());
  }
  return text;
}

}  // namespace interpscale::study
