// C6: which methods keep up with training as networks grow? C8: does any become cheaper against it?
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"

namespace interpscale::experiments {
namespace {

constexpr const char* kKeepsUp =
    "Understanding may cost a little more than linear in neurons and still keep up with training.";
constexpr const char* kSublinear = "Transparency might scale sub-linearly in training's cost.";

Verdict verdict_of(scaling::Growth growth) {
  switch (growth) {
    case scaling::Growth::kConstant:
    case scaling::Growth::kShrinks:
      return Verdict::kSupported;
    case scaling::Growth::kGrows:
      return Verdict::kContradicted;
    case scaling::Growth::kUndecided:
      break;
  }
  return Verdict::kUndecided;
}

/// "exponent in n 2.01 [1.98, 2.04]", or a note that there is none.
std::string neurons_exponent(const std::string& whose, const SubjectEvidence* subject) {
  if (subject == nullptr || !subject->against_neurons) {
    return fmt::format("{} exponent in n: not fitted", whose);
  }
  const Figure& figure = *subject->against_neurons;
  return fmt::format("{} exponent in n: {:.2f} [{:.2f}, {:.2f}]", whose, figure.value,
                     figure.interval.low, figure.interval.high);
}

LedgerLine judge_method(const Evidence& evidence, const SubjectEvidence& method) {
  LedgerLine line;
  line.claim = "C6";
  line.statement = fmt::format("{} keeps up with training as networks grow.", method.label());
  line.quantity = "exponent of its tax in N";
  line.figure = method.tax->exponent;
  line.detail = neurons_exponent("its", &method) + "; " +
                neurons_exponent("training's", evidence.find(evidence.tax_denominator, ""));
  line.verdict = verdict_of(method.tax->growth);
  line.rule = "supported if the tax is constant or shrinks, contradicted if it grows";
  return line;
}

std::vector<LedgerLine> settle_keeping_up(const Evidence& evidence) {
  std::vector<LedgerLine> lines;
  for (const SubjectEvidence* method : taxed_methods(evidence)) {
    lines.push_back(judge_method(evidence, *method));
  }
  if (lines.empty()) {
    lines.push_back(not_measured("C6", kKeepsUp, "The study has no method with a tax."));
  }
  return lines;
}

/// One method that shrinks is enough, so the most negative exponent is judged, with an interval
/// that allows for having been picked. Against the claim: every interval excludes shrinking.
LedgerLine settle_sublinear(const Evidence& evidence) {
  const std::vector<const SubjectEvidence*> methods = taxed_methods(evidence);
  if (methods.empty()) {
    return not_measured("C8", kSublinear, "The study has no method with a tax.");
  }
  const auto widened_exponent = [&](const SubjectEvidence* method) {
    return widened(method->tax->exponent, methods.size());
  };
  // By the far end of the interval: a precise small decline outranks a vague large one.
  const auto* lowest = *std::ranges::min_element(methods, {}, [&](const SubjectEvidence* method) {
    return widened_exponent(method).interval.high;
  });
  const auto shrinking = std::ranges::count_if(methods, [](const SubjectEvidence* method) {
    return method->tax->growth == scaling::Growth::kShrinks;
  });

  LedgerLine line;
  line.claim = "C8";
  line.statement = kSublinear;
  line.quantity = fmt::format("most clearly shrinking tax, exponent in N: {}", lowest->label());
  line.figure = widened_exponent(lowest);
  line.detail = fmt::format(
      "{} of {} method variants shrink by themselves; the interval is widened for picking one of "
      "{}; per training step, so the claim about whole trainings is not settled by this line",
      shrinking, methods.size(), methods.size());
  line.rule =
      "supported if one interval lies below 0, contradicted if every interval lies at or above 0";
  if (line.figure->interval.high < 0) {
    line.verdict = Verdict::kSupported;
  } else if (std::ranges::all_of(methods, [&](const SubjectEvidence* method) {
               return method->tax->exponent.interval.low >= 0;
             })) {
    line.verdict = Verdict::kContradicted;
  } else {
    line.verdict = Verdict::kUndecided;
  }
  return line;
}

}  // namespace

ExperimentSpec keeping_up() {
  ExperimentSpec spec;
  spec.name = "keeping_up";
  spec.summary = "Exponents of the tax: which methods keep up with training, which do not.";
  spec.claims = {"C6", "C8"};
  spec.settle = [](const Evidence& evidence) {
    std::vector<LedgerLine> lines = settle_keeping_up(evidence);
    lines.push_back(settle_sublinear(evidence));
    return lines;
  };
  return spec;
}

}  // namespace interpscale::experiments
