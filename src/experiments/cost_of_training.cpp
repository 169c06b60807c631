// C3: is a whole training super-linear in size? Steps to the result times a step's seconds.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"

namespace interpscale::experiments {
namespace {

constexpr const char* kStatement = "Training takes super-linear time in the network's size.";

/// Compute over N^2.0 for language models; kept beside, never judged by.
constexpr const char* kLiterature =
    "literature, language models, training FLOPs along the optimum: N^1.37 (Kaplan et al. 2020), "
    "N^2.0 (Hoffmann et al. 2022), N^1.95 +- .08 (its replication, Besiroglu et al. 2024)";

std::vector<LedgerLine> settle(const Evidence& evidence) {
  std::vector<LedgerLine> lines;
  for (const TrainingEvidence& training : evidence.trainings) {
    for (const StepsEvidence& steps : training.steps) {
      if (!steps.time) {
        continue;
      }
      LedgerLine line;
      line.claim = "C3";
      line.statement = kStatement;
      line.quantity =
          fmt::format("exponent in N of the seconds {}, {}", steps.flavour, training.task);
      line.figure = steps.time;
      line.detail = fmt::format("{}; {}", training.setting, steps.detail);
      if (steps.flavour == kComputeOptimal) {
        line.detail += fmt::format("; {}", kLiterature);
      }
      line.rule = "supported if the interval lies above 1, contradicted if below";
      line.verdict = judge_side(line.figure->interval, 1);
      lines.push_back(std::move(line));
    }
  }
  if (lines.empty()) {
    lines.push_back(not_measured("C3", kStatement,
                                 "The study has no law of steps to a result and of their time."));
  }
  return lines;
}

}  // namespace

ExperimentSpec cost_of_training() {
  ExperimentSpec spec;
  spec.name = "cost_of_training";
  spec.summary = "Exponents in N of the seconds that a whole training takes, in every flavour.";
  spec.claims = {"C3"};
  spec.settle = settle;
  return spec;
}

}  // namespace interpscale::experiments
