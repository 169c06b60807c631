// C8 against whole trainings: does a method become cheaper against training to a result?
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"

namespace interpscale::experiments {
namespace {

constexpr const char* kStatement = "Transparency might scale sub-linearly in training's cost.";

struct Taxed {
  const SubjectEvidence* method;
  const TrainingTaxEvidence* tax;
};

std::vector<std::string> flavours_of(const Evidence& evidence) {
  std::vector<std::string> flavours;
  for (const SubjectEvidence& subject : evidence.subjects) {
    for (const TrainingTaxEvidence& tax : subject.training_taxes) {
      if (std::ranges::find(flavours, tax.flavour) == flavours.end()) {
        flavours.push_back(tax.flavour);
      }
    }
  }
  return flavours;
}

std::vector<Taxed> taxed_in(const Evidence& evidence, const std::string& flavour) {
  std::vector<Taxed> taxed;
  for (const SubjectEvidence& subject : evidence.subjects) {
    for (const TrainingTaxEvidence& tax : subject.training_taxes) {
      if (tax.flavour == flavour && !subject.variant.empty()) {
        taxed.push_back({&subject, &tax});
      }
    }
  }
  return taxed;
}

/// As in `keeping_up`: one method that shrinks is enough, and it is picked out after looking.
LedgerLine judge_flavour(const std::string& flavour, const std::vector<Taxed>& taxed) {
  const auto widened_exponent = [&](const Taxed& candidate) {
    return widened(candidate.tax->law.exponent, taxed.size());
  };
  const Taxed lowest = *std::ranges::min_element(
      taxed, {}, [&](const Taxed& candidate) { return widened_exponent(candidate).interval.high; });
  const auto shrinking = std::ranges::count_if(taxed, [](const Taxed& candidate) {
    return candidate.tax->growth == scaling::Growth::kShrinks;
  });
  const Figure& in_training = lowest.tax->in_training;
  LedgerLine line;
  line.claim = "C8";
  line.statement = kStatement;
  line.quantity = fmt::format("most clearly shrinking tax against training {}, exponent in N: {}",
                              flavour, lowest.method->label());
  line.figure = widened_exponent(lowest);
  line.detail = fmt::format(
      "its time goes as training's to the power {:.2f} [{:.2f}, {:.2f}]; {} of {} method variants "
      "shrink by themselves; the interval is widened for picking one of {}",
      in_training.value, in_training.interval.low, in_training.interval.high, shrinking,
      taxed.size(), taxed.size());
  line.rule =
      "supported if one interval lies below 0, contradicted if every interval lies at or above 0";
  if (line.figure->interval.high < 0) {
    line.verdict = Verdict::kSupported;
  } else if (std::ranges::all_of(taxed, [](const Taxed& candidate) {
               return candidate.tax->law.exponent.interval.low >= 0;
             })) {
    line.verdict = Verdict::kContradicted;
  } else {
    line.verdict = Verdict::kUndecided;
  }
  return line;
}

std::vector<LedgerLine> settle(const Evidence& evidence) {
  std::vector<LedgerLine> lines;
  for (const std::string& flavour : flavours_of(evidence)) {
    if (const std::vector<Taxed> taxed = taxed_in(evidence, flavour); !taxed.empty()) {
      lines.push_back(judge_flavour(flavour, taxed));
    }
  }
  if (lines.empty()) {
    lines.push_back(not_measured("C8", kStatement,
                                 "No method's time could be held against a whole training's."));
  }
  return lines;
}

}  // namespace

ExperimentSpec whole_trainings() {
  ExperimentSpec spec;
  spec.name = "whole_trainings";
  spec.summary = "Exponents of the tax against whole trainings, in every flavour.";
  spec.claims = {"C8"};
  spec.settle = settle;
  return spec;
}

}  // namespace interpscale::experiments
