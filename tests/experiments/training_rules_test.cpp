// Claims about whole trainings: C2, C3, C4, C8 and the constants of C9, at their boundaries.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "interpscale/experiments/registry.hpp"
#include "interpscale/experiments/rules.hpp"
#include "support/catch.hpp"

namespace interpscale::experiments {
namespace {

using Catch::Matchers::Contains;

Figure figure(double low, double high) {
  return {(low + high) / 2, {low, high}};
}

std::vector<LedgerLine> settled(const std::string& name, const Evidence& evidence) {
  const std::vector<ExperimentSpec> all = all_experiments();
  const auto found = std::ranges::find(all, name, &ExperimentSpec::name);
  REQUIRE(found != all.end());
  return found->settle(evidence);
}

Evidence with_steps(const std::string& flavour, std::optional<Figure> steps,
                    std::optional<Figure> time) {
  TrainingEvidence training;
  training.task = "teacher-d4";
  training.steps = {{flavour, "6 of 8 sizes", flavour != kComputeOptimal, steps, time}};
  Evidence evidence;
  evidence.trainings = {training};
  return evidence;
}

/// The same value, with the same interval, at all stated sizes.
PowerFigure flat(Figure at, Figure exponent) {
  PowerFigure law;
  law.exponent = exponent;
  law.at = {at, at, at};
  law.smallest = 1e3;
  law.largest = 1e7;
  return law;
}

SubjectEvidence method(const std::string& name, const std::string& variant, Figure constant) {
  SubjectEvidence subject;
  subject.subject = name;
  subject.variant = variant;
  subject.step_tax = flat(constant, figure(-0.1, 0.1));
  return subject;
}

SubjectEvidence against_training(SubjectEvidence subject, Figure exponent, scaling::Growth growth) {
  subject.training_taxes = {
      {"to the easy target loss", flat(figure(0.5, 1.5), exponent), growth, figure(0.8, 0.9)}};
  return subject;
}

}  // namespace

TEST_CASE("rules: a level is beside the interval or inside of it", "[experiments]") {
  CHECK(judge_side({1.01, 2}, 1) == Verdict::kSupported);
  CHECK(judge_side({1, 2}, 1) == Verdict::kUndecided);
  CHECK(judge_side({0, 1}, 1) == Verdict::kUndecided);
  CHECK(judge_side({0, 0.99}, 1) == Verdict::kContradicted);
}

TEST_CASE("steps_to_result: more steps where the exponent's interval lies above 0",
          "[experiments][C2]") {
  const auto verdict = [](Figure steps) {
    return settled("steps_to_result", with_steps("to within 5 % of its own best", steps, {}))
        .front()
        .verdict;
  };
  CHECK(verdict(figure(0.01, 0.5)) == Verdict::kSupported);
  CHECK(verdict(figure(-0.01, 0.5)) == Verdict::kUndecided);
  CHECK(verdict(figure(-0.5, -0.01)) == Verdict::kContradicted);
}

TEST_CASE("steps_to_result: too few sizes that get there are not measured, with the censoring",
          "[experiments][C2]") {
  const std::vector<LedgerLine> lines =
      settled("steps_to_result", with_steps("to within 1 % of its own best", {}, {}));
  REQUIRE(lines.size() == 1);
  CHECK(lines.front().verdict == Verdict::kNotMeasured);
  CHECK_THAT(lines.front().detail, Contains("6 of 8 sizes"));
  CHECK(settled("steps_to_result", Evidence{}).front().verdict == Verdict::kNotMeasured);
}

TEST_CASE("cost_of_training: super-linear where the interval lies above 1", "[experiments][C3]") {
  const auto line = [](Figure time) {
    return settled("cost_of_training", with_steps(std::string(kComputeOptimal), figure(0, 1), time))
        .front();
  };
  CHECK(line(figure(1.01, 2)).verdict == Verdict::kSupported);
  CHECK(line(figure(0.9, 1.1)).verdict == Verdict::kUndecided);
  CHECK(line(figure(0.5, 0.9)).verdict == Verdict::kContradicted);
  CHECK_THAT(line(figure(1.01, 2)).detail, Contains("N^2.0") && Contains("N^1.95"));
  CHECK(settled("cost_of_training", Evidence{}).front().verdict == Verdict::kNotMeasured);
}

TEST_CASE("laws_of_loss: equating is held against the frontier", "[experiments][C4]") {
  const auto line = [](Figure size, Figure compute, Figure optimal) {
    TrainingEvidence training;
    training.task = "teacher-d4";
    training.loss_in_parameters = size;
    training.loss_in_compute = compute;
    training.optimal_size = optimal;
    Evidence evidence;
    evidence.trainings = {training};
    return settled("laws_of_loss", evidence).front();
  };
  const auto exact = [](double value) { return Figure{value, {value, value}}; };
  // .08 / .05 = 1.6 = 1 / .625
  CHECK(line(exact(0.08), exact(0.05), exact(0.625)).figure->value == Approx(0).margin(1e-9));
  CHECK(line(exact(0.08), exact(0.05), exact(0.625)).verdict == Verdict::kSupported);
  CHECK(line(exact(0.08), exact(0.05), exact(0.5)).verdict == Verdict::kContradicted);
  CHECK(line(figure(0.06, 0.1), exact(0.05), exact(0.5)).verdict == Verdict::kUndecided);
  CHECK(line(figure(-0.01, 0.1), exact(0.05), exact(0.5)).verdict == Verdict::kNotMeasured);
}

TEST_CASE("whole_trainings: the most clearly shrinking tax is judged, widened for the picking",
          "[experiments][C8]") {
  Evidence evidence;
  evidence.subjects = {against_training(method("a", "fast", figure(1, 2)), figure(-0.4, -0.2),
                                        scaling::Growth::kShrinks)};
  CHECK(settled("whole_trainings", evidence).front().verdict == Verdict::kSupported);
  // Beside twenty others, an interval that barely excludes 0 does not.
  evidence.subjects.front().training_taxes.front().law.exponent = figure(-0.4, -0.01);
  CHECK(settled("whole_trainings", evidence).front().verdict == Verdict::kSupported);
  for (int i = 0; i < 20; ++i) {
    evidence.subjects.push_back(
        against_training(method(fmt::format("b{}", i), "fast", figure(1, 2)), figure(0.1, 0.3),
                         scaling::Growth::kGrows));
  }
  CHECK(settled("whole_trainings", evidence).front().verdict == Verdict::kUndecided);
  evidence.subjects.erase(evidence.subjects.begin());
  CHECK(settled("whole_trainings", evidence).front().verdict == Verdict::kContradicted);
  CHECK(settled("whole_trainings", Evidence{}).front().verdict == Verdict::kNotMeasured);
}

TEST_CASE("full_account: the cheapest variants of the declared methods, summed",
          "[experiments][C9]") {
  Evidence evidence;
  for (const char* name : {"gradient_x_activation", "zero_ablation", "neuron_integrated_gradients",
                           "feature_visualization", "top_examples", "class_selectivity"}) {
    evidence.subjects.push_back(method(name, "naive", figure(900, 1100)));
    evidence.subjects.push_back(method(name, "fast", figure(40, 60)));
  }
  LedgerLine bundle = settled("full_account", evidence).front();
  REQUIRE(bundle.figure);
  CHECK(bundle.figure->value == Approx(300));
  CHECK(bundle.figure->interval.high == Approx(300 + 10 * std::sqrt(6.0)));
  CHECK(bundle.verdict == Verdict::kSupported);
  SECTION("what is missing is named, and what is left is a lower bound") {
    evidence.subjects.resize(2);
    bundle = settled("full_account", evidence).front();
    CHECK_THAT(bundle.detail, Contains("without zero_ablation, neuron_integrated_gradients"));
    CHECK(bundle.figure->value == Approx(50));
    CHECK(bundle.verdict == Verdict::kUndecided);  // below 100, but only a part
  }
  SECTION("a vague extrapolation is withheld") {
    for (SubjectEvidence& subject : evidence.subjects) {
      subject.step_tax = flat({100, {1, 1001}}, figure(0, 1));
      subject.step_tax->largest = 1e5;
    }
    bundle = settled("full_account", evidence).back();
    CHECK_FALSE(bundle.figure);
    CHECK_THAT(bundle.detail, Contains("withheld"));
  }
}

TEST_CASE("full_account: every method has a line of its own", "[experiments][C9]") {
  Evidence evidence;
  evidence.subjects = {method("weight_norm", "fast", figure(0.1, 0.2)),
                       method("pairwise_ablation", "fast", figure(5000, 7000))};
  const std::vector<LedgerLine> lines = settled("full_account", evidence);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].verdict == Verdict::kNotMeasured);
  CHECK(lines[1].verdict == Verdict::kContradicted);
  CHECK(lines[2].verdict == Verdict::kSupported);
}

}  // namespace interpscale::experiments
