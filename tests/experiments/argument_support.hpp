// Made-up outcomes of experiments, for the tests of their rules.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "interpscale/experiments/registry.hpp"
#include "support/catch.hpp"

namespace interpscale::experiments {

inline ExperimentSpec experiment_called(const std::string& name) {
  const std::vector<ExperimentSpec> all = all_experiments();
  const auto found = std::ranges::find(all, name, &ExperimentSpec::name);
  REQUIRE(found != all.end());
  return *found;
}

inline Outcome outcome_of(const std::string& experiment, std::vector<NamedValue> figures) {
  Outcome outcome;
  outcome.experiment = experiment;
  outcome.status = "ok";
  outcome.topology = "49-8-8-10/relu";
  outcome.figures = std::move(figures);
  return outcome;
}

/// Four sizes of three seeds each, n = 100, 200, 400, 800 and N = n^2; `fill(outcome, n, factor)`
/// gives figures, factors scatter by a percent.
template <class Fill>
Evidence sized_outcomes(const std::string& experiment, Fill fill) {
  Evidence evidence;
  for (std::uint64_t neurons = 100; neurons <= 800; neurons *= 2) {
    for (int seed = 0; seed < 3; ++seed) {
      Outcome outcome = outcome_of(experiment, {{"loss", 0.5}, {"step_seconds", 1e-3}});
      outcome.topology = "network of " + std::to_string(neurons);
      outcome.neurons = neurons;
      outcome.parameters = neurons * neurons;
      outcome.seed = seed;
      fill(outcome, static_cast<double>(neurons), 1 + 0.01 * (seed - 1));
      evidence.outcomes.push_back(std::move(outcome));
    }
  }
  return evidence;
}

inline std::vector<Verdict> verdicts_of(const std::string& experiment, const Evidence& evidence) {
  std::vector<Verdict> result;
  for (const LedgerLine& line : experiment_called(experiment).settle(evidence)) {
    result.push_back(line.verdict);
  }
  return result;
}

}  // namespace interpscale::experiments
