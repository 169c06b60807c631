// C7: are parameters, rather than neurons, the right measure of difficulty?
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"

namespace interpscale::experiments {
namespace {

/// An exponent in n this small changes a time by a quarter over a decade: taken for none.
constexpr double kNegligible = 0.1;

LedgerLine judge_subject(const SubjectEvidence& subject) {
  LedgerLine line;
  line.claim = "C7";
  line.statement = fmt::format("Parameters rather than neurons are the measure of the cost of {}.",
                               subject.label());
  line.quantity = "exponent in n at given N";
  line.figure = subject.joint_neurons;
  const Figure& parameters = *subject.joint_parameters;
  line.detail = fmt::format("exponent in N at given n: {:.2f} [{:.2f}, {:.2f}]", parameters.value,
                            parameters.interval.low, parameters.interval.high);
  if (subject.choice) {
    line.detail += fmt::format("; AICc prefers {}", subject.choice->chosen);
  }
  line.rule =
      fmt::format("supported if the interval lies within {0} of 0, contradicted if wholly outside",
                  kNegligible);
  line.verdict = judge_within(line.figure->interval, -kNegligible, kNegligible);
  return line;
}

std::vector<LedgerLine> settle(const Evidence& evidence) {
  std::vector<LedgerLine> lines;
  for (const SubjectEvidence& subject : evidence.subjects) {
    if (!subject.variant.empty() && subject.joint_parameters && subject.joint_neurons) {
      lines.push_back(judge_subject(subject));
    }
  }
  if (lines.empty()) {
    lines.push_back(not_measured(
        "C7", "Parameters rather than neurons are the right measure of difficulty.",
        "The study's cells do not tell the exponents of N and n of any method apart."));
  }
  return lines;
}

}  // namespace

ExperimentSpec measure_of_size() {
  ExperimentSpec spec;
  spec.name = "measure_of_size";
  spec.summary = "Whether a method's cost follows parameters alone, or neurons too.";
  spec.claims = {"C7"};
  spec.settle = settle;
  return spec;
}

}  // namespace interpscale::experiments
