// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "interpscale/core/require.hpp"
#include "interpscale/experiments/registry.hpp"

namespace interpscale::experiments {
namespace {

/// 7 of "C7".
int number_of(const std::string& claim) {
  int number = 0;
  const char* const end = claim.data() + claim.size();
  const bool numbered = claim.size() > 1 && claim.front() == 'C' &&
                        std::from_chars(claim.data() + 1, end, number).ptr == end;
  require(numbered, "ledger: a claim's id is the letter C and a number");
  return number;
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSupported:
      return "supported";
    case Verdict::kContradicted:
      return "contradicted";
    case Verdict::kUndecided:
      return "undecided";
    case Verdict::kNotMeasured:
      return "not measured here";
  }
  return "unknown";
}

std::vector<LedgerLine> claims_ledger(const std::vector<ExperimentSpec>& experiments,
                                      const Evidence& evidence) {
  std::vector<LedgerLine> ledger;
  for (const ExperimentSpec& experiment : experiments) {
    for (LedgerLine& line : experiment.settle(evidence)) {
      require(std::ranges::find(experiment.claims, line.claim) != experiment.claims.end(),
              "ledger: an experiment speaks of a claim that it does not declare");
      line.experiment = experiment.name;
      line.setting = evidence.setting;
      ledger.push_back(std::move(line));
    }
  }
  std::ranges::stable_sort(ledger, {},
                           [](const LedgerLine& line) { return number_of(line.claim); });
  return ledger;
}

}  // namespace interpscale::experiments
