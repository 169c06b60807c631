// What training to a result comes to: rules at their boundaries, laws on planted evidence.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <nlohmann/json.hpp>

#include "interpscale/study/report.hpp"
#include "interpscale/study/training_result.hpp"
#include "study/report/training.hpp"
#include "study/training.hpp"
#include "support/catch.hpp"

namespace interpscale::study {
namespace {

using Catch::Matchers::Contains;

const std::vector<std::uint64_t> kLengths = {100, 200, 400, 800};

/// L(N, S) = N^-alpha + coefficient S^-beta at every width and run length (a second seed is 0.1 %
/// worse), steps of 1e-9 N seconds.
StudyJournal planted(double alpha, double beta, double coefficient = 1) {
  StudyJournal journal;
  TrainingTask task{.name = "teacher-d4",
                    .kind = std::string(kRegression),
                    .inputs = 4,
                    .depth = 2,
                    .widths = {8, 12, 16, 24, 32, 48, 64, 96, 128},
                    .run_steps = {},
                    .seeds = 2,
                    .middle_rate = 0.02,
                    .sweep_steps = 1000};
  for (std::size_t steps = 1000; steps <= 128000; steps *= 2) {
    task.run_steps.push_back(steps);
  }
  journal.plan.trainings = {task};
  for (const std::size_t width : task.widths) {
    const nn::Topology topology = learner(task, width);
    const auto parameters = static_cast<double>(topology.parameters());
    TrainingRecord record;
    record.task = task.name;
    record.topology = topology.name();
    record.width = width;
    record.parameters = topology.parameters();
    record.batch = 128;
    record.flops_per_step = 768 * topology.parameters();
    record.status = "ok";
    for (const double rate : swept_rates(task, width)) {
      record.purpose = "sweep";
      record.steps = task.sweep_steps;
      record.learning_rate = rate;
      record.loss = 1;
      journal.trainings.push_back(record);
    }
    record.purpose = "result";
    for (int seed = 0; seed < task.seeds; ++seed) {
      for (const std::size_t steps : task.run_steps) {
        record.seed = seed;
        record.steps = steps;
        record.loss =
            (1 + 0.001 * seed) * (std::pow(parameters, -alpha) +
                                  coefficient * std::pow(static_cast<double>(steps), -beta));
        record.curve = {{0, 0, 0, 0, 1.0}, {steps, 0, 0, 0, record.loss}};
        journal.trainings.push_back(record);
      }
    }
    for (int round = 0; round < 3; ++round) {
      StepRecord step;
      step.round = round;
      step.task = task.name;
      step.width = width;
      step.status = "ok";
      step.seconds = 1e-9 * parameters;
      journal.steps.push_back(step);
    }
  }
  return journal;
}

TaskResult analysed(const StudyJournal& journal) {
  const std::vector<TaskResult> tasks = analyse_trainings(journal, {.resamples = 200});
  REQUIRE(tasks.size() == 1);
  return tasks.front();
}

}  // namespace

TEST_CASE("training: steps to a loss lie between the lengths that miss and reach it, in logs",
          "[study][training]") {
  const std::vector<double> losses = {0.8, 0.4, 0.2, 0.1};
  const StepsToLoss between = steps_to(0.4 / std::sqrt(2.0), kLengths, losses);
  CHECK(between.reached == Reached::kYes);
  CHECK(between.steps == Approx(200 * std::sqrt(2.0)));
  SECTION("a length that ends at the very loss is the answer") {
    CHECK(steps_to(0.2, kLengths, losses).steps == Approx(400));
    CHECK(steps_to(0.1, kLengths, losses).steps == Approx(800));
  }
  SECTION("below the last loss is never; at the first is before") {
    const StepsToLoss never = steps_to(0.0999, kLengths, losses);
    CHECK(never.reached == Reached::kNever);
    CHECK(never.steps == 800);
    const StepsToLoss before = steps_to(0.8, kLengths, losses);
    CHECK(before.reached == Reached::kBefore);
    CHECK(before.steps == 100);
    CHECK(steps_to(0.79, kLengths, losses).reached == Reached::kYes);
  }
  SECTION("the first length that reaches counts, though a longer one misses again") {
    CHECK(steps_to(0.3, kLengths, {0.8, 0.3, 0.35, 0.2}).steps == Approx(200));
  }
}

TEST_CASE("training: an own best that still improves by more than the margin is censored",
          "[study][training]") {
  // The last doubling gains just more, and just no more, than 5 %.
  CHECK(steps_to_own_best(0.05, kLengths, {0.8, 0.4, 0.2102, 0.2}).reached == Reached::kNever);
  const StepsToLoss reached = steps_to_own_best(0.05, kLengths, {0.8, 0.4, 0.2098, 0.2});
  CHECK(reached.reached == Reached::kYes);
  CHECK(reached.steps < 400);
  CHECK(reached.steps > 200);
  // A best before the longest run (a network that overfits) is its own best whatever comes after.
  const StepsToLoss inside = steps_to_own_best(0.01, kLengths, {0.8, 0.2, 0.25, 0.3});
  CHECK(inside.reached == Reached::kYes);
  CHECK(inside.steps < 200);
}

TEST_CASE("training: planted laws of loss, steps and time come back", "[study][training]") {
  const double alpha = 0.5;
  const double beta = 0.6;
  const TaskResult task = analysed(planted(alpha, beta, 6));
  REQUIRE(task.sizes.size() == 9);
  CHECK(task.tuning == Approx(5 * 1000.0 / 128000));
  REQUIRE(task.step);
  CHECK(task.step->exponent.value == Approx(1).margin(1e-6));
  REQUIRE(task.joint_law);
  CHECK(task.joint_law->law.parameters_exponent == Approx(alpha).margin(0.02));
  CHECK(task.joint_law->law.data_exponent == Approx(beta).margin(0.02));
  REQUIRE(task.optimal);
  // N_opt ~ C^(beta / (alpha + beta)) where C ~ N S.
  CHECK(task.optimal->exponent == Approx(beta / (alpha + beta)).margin(0.08));
  const StepsLaw& optimal = task.steps.back();
  REQUIRE(optimal.steps);
  REQUIRE(optimal.time);
  CHECK(optimal.steps->exponent.value == Approx(1 / task.optimal->exponent - 1).margin(1e-6));
  CHECK(optimal.time->exponent.value == Approx(1 / task.optimal->exponent).margin(1e-6));
  // The easy target is within every size's reach, the hard one within that of half.
  CHECK(task.steps[0].censored < task.steps[1].censored);
  CHECK(task.steps[1].runs.front().front().reached == Reached::kNever);
}

TEST_CASE("training: only converged sizes speak of the loss at convergence", "[study][training]") {
  // N^-1 falls below what the steps allow from some size on: there runs are still improving.
  const TaskResult task = analysed(planted(1, 0.7));
  CHECK(task.sizes.front().converged);
  CHECK_FALSE(task.sizes.back().converged);
  for (const TrainedSize& size : task.sizes) {
    CHECK(size.converged == (size.last_gain <= kConvergedWithin));
  }
}

TEST_CASE("training: a size with a failed run is left out, with a note", "[study][training]") {
  StudyJournal journal = planted(0.5, 0.6);
  TrainingRecord& last = journal.trainings.back();
  last.status = "failed";
  last.loss = 0;
  const TaskResult task = analysed(journal);
  CHECK(task.sizes.size() == 8);
  CHECK(task.failed == 1);
  REQUIRE_FALSE(task.notes.empty());
  CHECK_THAT(task.notes.front(), Contains("Width 128 is left out"));
}

TEST_CASE("training: without step times there are steps but no seconds", "[study][training]") {
  StudyJournal journal = planted(0.5, 0.6, 6);
  journal.steps.clear();
  const TaskResult task = analysed(journal);
  CHECK_FALSE(task.step);
  CHECK(task.steps[0].steps.has_value());
  for (const StepsLaw& law : task.steps) {
    CHECK_FALSE(law.time);
  }
}

TEST_CASE("training: the report names every task, law and rule, and is finite",
          "[study][training][report]") {
  StudyResult result;
  result.journal = planted(0.5, 0.6);
  result.trainings = {analysed(result.journal)};
  const std::string text = training_section(result);
  CHECK_THAT(text, Contains("### teacher-d4") && Contains("beside 4/d = 1.00") &&
                       Contains("price of tuning") && Contains("censored"));
  CHECK(text.find("nan") == std::string::npos);
  const nlohmann::ordered_json json = trainings_json(result);
  REQUIRE(json.size() == 1);
  CHECK(json[0].at("sizes").size() == 9);
  CHECK(json[0].at("reference_alpha") == 1.0);
  CHECK(json[0].at("curves").size() == 9);
  const experiments::TrainingEvidence evidence = evidence_of(result.trainings.front());
  CHECK(evidence.dimension == 4);
  REQUIRE(evidence.loss_in_parameters);
  CHECK(evidence.loss_in_parameters->value > 0);
  CHECK(evidence.steps.size() >= 4);
}

}  // namespace interpscale::study
