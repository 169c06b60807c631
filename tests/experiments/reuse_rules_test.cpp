// Claims about reuse and known concepts, C15 and C16, at their boundaries.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "experiments/argument_support.hpp"

namespace interpscale::experiments {
namespace {

/// A share of the neurons explained, and of them by an untrained network; costs as powers of n.
Evidence reused(double share, double untrained, double marginal, double all) {
  return sized_outcomes("reuse", [=](Outcome& outcome, double neurons, double factor) {
    outcome.figures.insert(outcome.figures.end(),
                           {{"share", share * factor},
                            {"untrained_share", untrained},
                            {"matching_seconds", 1e-4 * neurons * factor},
                            {"marginal_seconds", 1e-6 * std::pow(neurons, marginal) * factor},
                            {"all_seconds", 1e-6 * std::pow(neurons, all) / factor}});
  });
}

/// R^2 of labels, of the teacher's units and of a stranger's; labels' goes as a power of n.
Evidence explained(double growth, double teacher, double stranger) {
  return sized_outcomes("concepts", [=](Outcome& outcome, double neurons, double factor) {
    outcome.figures.insert(outcome.figures.end(),
                           {{"label_single", 0.2},
                            {"label_share", 0.3 * std::pow(neurons / 100, growth) * factor},
                            {"label_seconds", 1e-5 * neurons * factor},
                            {"teacher_single", teacher / 2},
                            {"teacher_share", teacher * std::pow(neurons / 100, growth) * factor},
                            {"teacher_seconds", 1e-5 * neurons * factor},
                            {"stranger_share", stranger * std::pow(neurons / 100, growth)}});
  });
}

constexpr Verdict kYes = Verdict::kSupported;
constexpr Verdict kNo = Verdict::kContradicted;
constexpr Verdict kOpen = Verdict::kUndecided;

}  // namespace

TEST_CASE("C15: most neurons are found again, by more than an untrained network gives",
          "[experiments][C15]") {
  const auto first = [](const Evidence& evidence) { return verdicts_of("reuse", evidence)[0]; };
  CHECK(first(reused(0.7, 0.2, 2, 2)) == kYes);
  CHECK(first(reused(0.4, 0.2, 2, 2)) == kNo);
  CHECK(first(reused(0.5, 0.2, 2, 2)) == kOpen);
  CHECK(first(reused(0.7, 0.9, 2, 2)) == kNo);
  CHECK(first(reused(0.7, 0.7, 2, 2)) == kOpen);
  CHECK(first({}) == Verdict::kNotMeasured);
}

TEST_CASE("C15: the cost of the rest bends or does not, whatever its level", "[experiments][C15]") {
  const auto second = [](const Evidence& evidence) {
    const LedgerLine line = experiment_called("reuse").settle(evidence)[1];
    CHECK(line.claim == "C15");
    return line;
  };
  const LedgerLine bent = second(reused(0.7, 0.2, 1.5, 2));
  CHECK(bent.verdict == kYes);
  REQUIRE(bent.figure);
  CHECK(bent.figure->value == Approx(-0.5).margin(1e-6));
  CHECK_THAT(bent.detail, Catch::Matchers::Contains("the rest n^1.50"));
  CHECK(second(reused(0.7, 0.2, 2.3, 2)).verdict == kNo);
  CHECK(second(reused(0.7, 0.2, 2, 2)).verdict == kOpen);
  CHECK(second({}).verdict == Verdict::kNotMeasured);
}

TEST_CASE("C16: familiar concepts, and what known ones explain as networks grow",
          "[experiments][C16]") {
  CHECK(verdicts_of("concepts", explained(-0.3, 0.6, 0.4)) == std::vector{kYes, kYes, kYes});
  CHECK(verdicts_of("concepts", explained(0.3, 0.4, 0.6)) == std::vector{kNo, kNo, kNo});
  CHECK(verdicts_of("concepts", explained(0, 0.5, 0.5)) == std::vector{kOpen, kNo, kNo});
  CHECK(verdicts_of("concepts", {}) == std::vector(3, Verdict::kNotMeasured));
  for (const LedgerLine& line : experiment_called("concepts").settle(explained(-0.3, 0.6, 0.4))) {
    CHECK(line.claim == "C16");
    CHECK_FALSE(line.rule.empty());
  }
}

}  // namespace interpscale::experiments
