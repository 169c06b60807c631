// C4: L ~ N^-a and L ~ C^-b, equated, would give C ~ N^(a/b). Is that the measured frontier?
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"

namespace interpscale::experiments {
namespace {

constexpr const char* kStatement =
    "Equating the laws of loss in size and in compute gives the compute that a size is worth.";
constexpr const char* kLiterature =
    "literature, language models: .076 / .050 = 1.52 by equating (1.6 when rounded), the same "
    "paper's frontier N^1.37 (Kaplan et al. 2020)";

LedgerLine judge_task(const TrainingEvidence& training) {
  const Figure equated = quotient_of(*training.loss_in_parameters, *training.loss_in_compute);
  const Figure& size = *training.optimal_size;
  const Figure frontier = quotient_of({1, {1, 1}}, size);
  LedgerLine line;
  line.claim = "C4";
  line.statement = kStatement;
  line.quantity = fmt::format("exponent by equating less that of the frontier, {}", training.task);
  line.figure = difference_of(equated, frontier);
  const auto text = [](const Figure& figure) {
    return fmt::format("{:.2f} [{:.2f}, {:.2f}]", figure.value, figure.interval.low,
                       figure.interval.high);
  };
  line.detail = fmt::format(
      "L ~ N^-{} at convergence, L ~ C^-{} along the frontier: C ~ N^{} by equating; parabolas at "
      "fixed compute: N_opt ~ C^{}, C ~ N^{}; {}; {}",
      text(*training.loss_in_parameters), text(*training.loss_in_compute), text(equated),
      text(size), text(frontier), training.setting, kLiterature);
  line.rule =
      "supported if the interval lies within 0.2 of 0, contradicted if it excludes 0, undecided "
      "otherwise";
  line.verdict = judge_within(line.figure->interval, -kEqualWithin, kEqualWithin);
  if (line.verdict != Verdict::kSupported) {
    line.verdict = line.figure->interval.contains(0) ? Verdict::kUndecided : Verdict::kContradicted;
  }
  return line;
}

std::vector<LedgerLine> settle(const Evidence& evidence) {
  std::vector<LedgerLine> lines;
  for (const TrainingEvidence& training : evidence.trainings) {
    const bool measured = training.loss_in_parameters &&
                          training.loss_in_parameters->interval.low > 0 &&
                          training.loss_in_compute && training.loss_in_compute->interval.low > 0 &&
                          training.optimal_size && training.optimal_size->interval.low > 0;
    if (measured) {
      lines.push_back(judge_task(training));
    } else {
      lines.push_back(not_measured(
          "C4", kStatement,
          fmt::format("{}: loss in size, loss in compute or the best size at fixed compute could "
                      "not be fitted with an interval above 0.",
                      training.task)));
    }
  }
  if (lines.empty()) {
    lines.push_back(not_measured("C4", kStatement, "The study trains nothing to a result."));
  }
  return lines;
}

}  // namespace

ExperimentSpec laws_of_loss() {
  ExperimentSpec spec;
  spec.name = "laws_of_loss";
  spec.summary = "Loss in size and in compute, equated, beside the measured compute frontier.";
  spec.claims = {"C4"};
  spec.settle = settle;
  return spec;
}

}  // namespace interpscale::experiments
