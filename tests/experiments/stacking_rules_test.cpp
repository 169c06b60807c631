// Claims about surrogates upon surrogates, C13 and C14, at their boundaries.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "experiments/argument_support.hpp"
#include "experiments/engine/laws.hpp"

namespace interpscale::experiments {
namespace {

constexpr double kGain = 1;  // nats: a loss of log 10 - 1

Evidence stacked(double leak, double sum) {
  return sized_outcomes("stacking", [=](Outcome& outcome, double neurons, double factor) {
    outcome.figures = {{"depth", 4},
                       {"loss", std::log(10.0) - kGain},
                       {"step_seconds", 1e-3},
                       {"low_rank_relu_4_leak", leak * factor},
                       {"low_rank_relu_4_single_sum", sum},
                       {"low_rank_relu_4_fit_seconds", 1e-5 * neurons * factor},
                       {"linear_4_leak", 2 * leak * factor},
                       {"linear_4_single_sum", sum}};
  });
}

/// Leaks on own outputs and on true activations; the cost as a power of n where N = n^2 and a step
/// goes as N.
Evidence rebuilt(double own, double on_true, double growth) {
  return sized_outcomes("recursion", [=](Outcome& outcome, double neurons, double factor) {
    outcome.figures = {{"depth", 4},
                       {"loss", std::log(10.0) - kGain},
                       {"step_seconds", 1e-8 * neurons * neurons},
                       {"modules_own_parameters", 0.5}};
    for (const std::string way : {"modules", "layers"}) {
      outcome.figures.insert(outcome.figures.end(),
                             {{way + "_own_leak", own * factor},
                              {way + "_true_leak", on_true},
                              {way + "_own_seconds", 1e-6 * std::pow(neurons, growth) * factor}});
    }
  });
}

constexpr Verdict kYes = Verdict::kSupported;
constexpr Verdict kNo = Verdict::kContradicted;
constexpr Verdict kOpen = Verdict::kUndecided;

}  // namespace

TEST_CASE("C13: leaks compound where they are more than their sum", "[experiments][C13]") {
  CHECK(verdicts_of("stacking", stacked(0.3, 0.2)) == std::vector{kYes});
  CHECK(verdicts_of("stacking", stacked(0.1, 0.2)) == std::vector{kNo});
  CHECK(verdicts_of("stacking", stacked(0.2, 0.2)) == std::vector{kOpen});
  CHECK(verdicts_of("stacking", {}) == std::vector{Verdict::kNotMeasured});
  // A surrogate that leaks nothing has no ratio.
  CHECK(verdicts_of("stacking", stacked(0, 0)) == std::vector{Verdict::kNotMeasured});
  // So much cannot leak: the ratio would be that of a ceiling.
  CHECK(verdicts_of("stacking", stacked(0.7, 0.6)) == std::vector{Verdict::kNotMeasured});
  const LedgerLine line = experiment_called("stacking").settle(stacked(0.3, 0.2))[0];
  CHECK(line.claim == "C13");
  REQUIRE(line.figure);
  CHECK(line.figure->value == Approx(1.5).epsilon(0.01));
  CHECK_THAT(line.detail, Catch::Matchers::Contains("of 4 layers"));
  CHECK_THAT(line.detail, Catch::Matchers::Contains("linear of w/4 3.00"));
}

TEST_CASE("C14: own outputs against true ones, the whole, and its cost", "[experiments][C14]") {
  CHECK(verdicts_of("recursion", rebuilt(0.02, 0.04, 2)) == std::vector{kYes, kYes, kYes});
  CHECK(verdicts_of("recursion", rebuilt(0.4, 0.2, 3)) == std::vector{kNo, kNo, kNo});
  CHECK(verdicts_of("recursion", rebuilt(0.05, 0.05, 1)) == std::vector{kOpen, kOpen, kYes});
  CHECK(verdicts_of("recursion", {}) == std::vector(3, Verdict::kNotMeasured));
  const std::vector<LedgerLine> lines = experiment_called("recursion").settle(rebuilt(0.4, 0.2, 3));
  CHECK(lines[2].figure->value == Approx(0.5).margin(1e-6));  // n^3 over n^2, in N = n^2
  CHECK_THAT(lines[2].detail, Catch::Matchers::Contains("not identified"));
}

TEST_CASE("outcomes: joint laws and networks of the least depth", "[experiments]") {
  std::vector<Outcome> outcomes;
  for (const double neurons : {100.0, 200.0, 400.0, 800.0}) {
    for (const double deep : {1.0, 9.0}) {
      Outcome outcome = outcome_of("x", {{"depth", 4 * deep}});
      outcome.neurons = static_cast<std::uint64_t>(neurons * deep);
      outcome.parameters = static_cast<std::uint64_t>(neurons * neurons * deep);
      outcome.topology = std::to_string(neurons) + "x" + std::to_string(deep);
      outcome.figures.push_back(
          {"seconds", 1e-6 * std::pow(static_cast<double>(outcome.parameters), 0.75) *
                          std::pow(static_cast<double>(outcome.neurons), 0.5)});
      outcomes.push_back(outcome);
      outcomes.push_back(outcome);
    }
  }
  std::vector<const Outcome*> pointers;
  for (const Outcome& outcome : outcomes) {
    pointers.push_back(&outcome);
  }
  CHECK_THAT(joint_law(pointers, "seconds"),
             Catch::Matchers::StartsWith(", as a joint law N^0.75 ["));
  CHECK_THAT(joint_law(pointers, "seconds"), Catch::Matchers::Contains(" n^0.50 ["));
  CHECK(shallowest(pointers).size() == 8);
  CHECK(joint_law({}, "seconds").empty());
  CHECK_THAT(joint_law(shallowest(pointers), "seconds"),
             Catch::Matchers::Contains("not identified"));
}

}  // namespace interpscale::experiments
