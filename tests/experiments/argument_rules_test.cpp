// Claims about modules and surrogates, C11 and C12, at their boundaries; scales and pieces.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "experiments/argument_support.hpp"
#include "experiments/engine/laws.hpp"
#include "support/catch.hpp"

namespace interpscale::experiments {
namespace {

/// Four networks whose figures scatter by a percent.
Evidence retrained(double z, double correlation, double leak, double predicted) {
  Evidence evidence;
  for (int i = 0; i < 4; ++i) {
    const double factor = 1 + 0.01 * (i - 1.5);
    evidence.outcomes.push_back(outcome_of("retraining", {{"loss", 0.5},
                                                          {"z", z * factor},
                                                          {"p", 0.02},
                                                          {"correlation", correlation * factor},
                                                          {"correlation_p", 0.5},
                                                          {"leak", leak * factor},
                                                          {"predicted_leak", predicted}}));
  }
  return evidence;
}

std::vector<Verdict> verdicts(const Evidence& evidence) {
  std::vector<Verdict> result;
  for (const LedgerLine& line : experiment_called("retraining").settle(evidence)) {
    CHECK(line.claim == "C11");
    result.push_back(line.verdict);
  }
  return result;
}

Evidence leaking(double leak, double speed) {
  Evidence evidence;
  for (int i = 0; i < 4; ++i) {
    Outcome outcome = outcome_of("leaks", {{"loss", std::log(10.0) - 1}});
    const double factor = 1 + 0.01 * (i - 1.5);
    outcome.series = {{"linear_sizes", {1, 8}},
                      {"linear_leak", {2.0, leak * factor}},
                      {"linear_speed", {0.9, speed}}};
    evidence.outcomes.push_back(outcome);
  }
  return evidence;
}

}  // namespace

TEST_CASE("C11: more clusterable, uncorrelated and graceful", "[experiments][C11]") {
  CHECK(verdicts(retrained(-5, 0.01, 0.11, 0.1)) == std::vector<Verdict>(3, Verdict::kSupported));
}

TEST_CASE("C11: less clusterable, correlated and catastrophic", "[experiments][C11]") {
  CHECK(verdicts(retrained(5, 0.4, 0.5, 0.1)) == std::vector<Verdict>(3, Verdict::kContradicted));
}

TEST_CASE("C11: networks that fall to equal odds are no graceful degradation",
          "[experiments][C11]") {
  // log 10 = 2.303: a rise of 1.9 from 0.5 is beyond it, however much the parts add up to.
  CHECK(verdicts(retrained(-5, 0, 1.9, 1.8))[2] == Verdict::kContradicted);
  Evidence evidence = retrained(-5, 0, 1.0, 0.9);
  evidence.outcomes[0].figures[0].value = 1.5;
  CHECK(verdicts(evidence)[2] == Verdict::kUndecided);
}

TEST_CASE("C11: nothing, one network, or failed ones measure nothing", "[experiments][C11]") {
  const std::vector<Verdict> nothing(3, Verdict::kNotMeasured);
  CHECK(verdicts({}) == nothing);
  Evidence evidence = retrained(-5, 0, 0.1, 0.1);
  for (Outcome& outcome : evidence.outcomes) {
    outcome.status = "failed";
  }
  CHECK(verdicts(evidence) == nothing);
}

TEST_CASE("C12: the best splice that is faster decides", "[experiments][C12]") {
  const ExperimentSpec spec = experiment_called("leaks");
  CHECK(spec.settle(leaking(0.01, 1.5))[0].verdict == Verdict::kSupported);
  CHECK(spec.settle(leaking(0.2, 1.5))[0].verdict == Verdict::kContradicted);
  CHECK(spec.settle(leaking(0.05, 1.5))[0].verdict == Verdict::kUndecided);
  CHECK(spec.settle(leaking(0.01, 0.95))[0].verdict == Verdict::kNotMeasured);
  CHECK(spec.settle({})[0].verdict == Verdict::kNotMeasured);
  CHECK(spec.settle(leaking(0.01, 1.5))[0].figure->value == Approx(0.01));
}

TEST_CASE("outcomes: means, geometric means and exponents over networks", "[experiments]") {
  CHECK_FALSE(mean_of({1}));
  const std::optional<Figure> mean = mean_of({1, 3});
  REQUIRE(mean);
  CHECK(mean->value == Approx(2));
  CHECK(mean->interval.high == Approx(2 + 12.7062));  // t(0.975, 1) standard errors of 1
  CHECK_FALSE(geometric_mean_of({1, 0}));
  CHECK(geometric_mean_of({2, 8})->value == Approx(4));
  std::vector<Outcome> outcomes;
  for (const std::uint64_t size : {1000U, 2000U, 4000U, 8000U}) {
    for (int seed = 0; seed < 2; ++seed) {
      Outcome outcome =
          outcome_of("x", {{"seconds", 3 * std::pow(static_cast<double>(size), 1.5)}});
      outcome.parameters = size;
      outcomes.push_back(outcome);
    }
  }
  std::vector<const Outcome*> pointers;
  for (const Outcome& outcome : outcomes) {
    pointers.push_back(&outcome);
  }
  const std::optional<Figure> exponent = exponent_in_parameters(pointers, "seconds");
  REQUIRE(exponent);
  CHECK(exponent->value == Approx(1.5));
  CHECK_FALSE(exponent_in_parameters(pointers, "steps"));
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto neurons = static_cast<double>(100U << i / 2);
    outcomes[i].neurons = static_cast<std::uint64_t>(neurons);
    outcomes[i].figures.push_back({"step", std::pow(neurons, 0.5)});
  }
  // Sizes double together: n^1.5 over n^0.5.
  const std::optional<Figure> ratio = exponent_in_neurons(pointers, "seconds", "step");
  REQUIRE(ratio);
  CHECK(ratio->value == Approx(1.0));
  CHECK(cost_law(pointers, "seconds", "it").empty());  // no training step to hold it against
  CHECK(mean_of_figure(pointers, "step")->value ==
        Approx((10 + std::sqrt(200) + 20 + std::sqrt(800)) / 4));
  CHECK(judge_below({-2, -1}, 0) == Verdict::kSupported);
  CHECK(judge_below({1, 2}, 0) == Verdict::kContradicted);
  CHECK(judge_below({-1, 2}, 0) == Verdict::kUndecided);
  pointers.resize(6);
  CHECK_FALSE(exponent_in_parameters(pointers, "seconds"));
}

TEST_CASE("argument: scales by name, and pieces that are told apart", "[experiments]") {
  CHECK_FALSE(argument_scale("huge"));
  CHECK(argument_scale("huge").error().message ==
        "scale of experiments 'huge' is unknown; known are none, quick, standard");
  for (const std::string& name : argument_scale_names()) {
    const ArgumentScale scale = *argument_scale(name);
    CHECK(scale.name == name);
    for (const ExperimentSpec& experiment : all_experiments()) {
      std::set<std::string> names;
      const std::vector<Piece> pieces =
          experiment.pieces ? experiment.pieces(scale) : std::vector<Piece>{};
      for (const Piece& piece : pieces) {
        CHECK(piece.assumed_seconds > 0);
        CHECK(piece.run);
        names.insert(piece.name);
      }
      CHECK(names.size() == pieces.size());
    }
  }
}

}  // namespace interpscale::experiments
