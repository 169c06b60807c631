// C1: does a backward pass, and a whole step of training, take time linear in the network's size?
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"

namespace interpscale::experiments {
namespace {

/// Half the width of the band around 1 that counts as linear.
constexpr double kLinearWithin = 0.1;

LedgerLine judge_pass(const Evidence& evidence, const std::string& subject,
                      const std::string& name) {
  const std::string statement = fmt::format("{} takes time linear in the network's size.", name);
  const SubjectEvidence* pass = evidence.find(subject, "");
  if (pass == nullptr || !pass->against_parameters) {
    return not_measured("C1", statement,
                        fmt::format("The study has no law of {} against N.", subject));
  }
  LedgerLine line;
  line.claim = "C1";
  line.statement = statement;
  line.quantity = fmt::format("exponent of {} in N", subject);
  line.figure = pass->against_parameters;
  line.detail = fmt::format("{} cells, N from {:.3g} to {:.3g}", pass->cells,
                            pass->smallest_parameters, pass->largest_parameters);
  line.verdict = judge_within(line.figure->interval, 1 - kLinearWithin, 1 + kLinearWithin);
  line.rule = fmt::format(
      "supported if the 95 % interval lies within {} of 1, contradicted if wholly outside",
      kLinearWithin);
  return line;
}

}  // namespace

ExperimentSpec cost_of_a_step() {
  ExperimentSpec spec;
  spec.name = "cost_of_a_step";
  spec.summary = "Exponents in N of the backward pass and of the training step.";
  spec.claims = {"C1"};
  spec.settle = [](const Evidence& evidence) {
    return std::vector<LedgerLine>{
        judge_pass(evidence, "backward", "A backward pass"),
        judge_pass(evidence, "training_step", "A step of training"),
    };
  };
  return spec;
}

}  // namespace interpscale::experiments
