// C2: do larger networks need more gradient steps? To a fixed loss, and to their own best.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"

namespace interpscale::experiments {
namespace {

constexpr const char* kStatement =
    "Larger networks need more gradient steps to reach their optimum.";

LedgerLine judge_steps(const TrainingEvidence& training, const StepsEvidence& steps) {
  LedgerLine line;
  line.claim = "C2";
  line.statement = steps.to_own_best
                       ? kStatement
                       : "Larger networks need more gradient steps to reach the same loss.";
  line.quantity = fmt::format("exponent in N of the steps {}, {}", steps.flavour, training.task);
  line.figure = steps.steps;
  line.detail = fmt::format("{}; {}", training.setting, steps.detail);
  line.rule = "supported if the interval lies above 0, contradicted if below";
  line.verdict = judge_side(line.figure->interval, 0);
  return line;
}

std::vector<LedgerLine> settle(const Evidence& evidence) {
  std::vector<LedgerLine> lines;
  for (const TrainingEvidence& training : evidence.trainings) {
    for (const StepsEvidence& steps : training.steps) {
      if (steps.flavour == kComputeOptimal) {
        continue;
      }
      if (steps.steps) {
        lines.push_back(judge_steps(training, steps));
      } else {
        lines.push_back(
            not_measured("C2", fmt::format("{} ({}, {})", kStatement, training.task, steps.flavour),
                         fmt::format("Too few sizes whose runs all get there: {}.", steps.detail)));
      }
    }
  }
  if (lines.empty()) {
    lines.push_back(not_measured("C2", kStatement, "The study trains nothing to a result."));
  }
  return lines;
}

}  // namespace

ExperimentSpec steps_to_result() {
  ExperimentSpec spec;
  spec.name = "steps_to_result";
  spec.summary = "Exponents in N of the steps to a target loss and to each network's own best.";
  spec.claims = {"C2"};
  spec.settle = settle;
  return spec;
}

}  // namespace interpscale::experiments
