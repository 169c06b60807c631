// SPDX-License-Identifier: Apache-2.0
#include "study/training_steps.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/nn/training_step.hpp"
#include "study/round_order.hpp"
#include "study/subjects/pass_verification.hpp"
#include "study/training.hpp"

namespace interpscale::study {
namespace {

/// Of a round's seed; the cells' order is stream 0.
constexpr std::uint64_t kStepOrderStream = 1;
constexpr std::uint64_t kSpecimenSeed = 1;

const TrainingTask& task_named(const Plan& plan, const std::string& name) {
  const auto found = std::ranges::find(plan.trainings, name, &TrainingTask::name);
  require(found != plan.trainings.end(), "a step of a task that the plan does not have");
  return *found;
}

class TimedStep : public measure::Timed {
 public:
  TimedStep(std::string name, const TrainingTask& task, Specimen specimen, Runtime<float> runtime)
      : name_(std::move(name)),
        specimen_(std::move(specimen)),
        runtime_(std::move(runtime)),
        network_(specimen_.network),
        targets_(specimen_.inputs.rows(), specimen_.network.topology.outputs),
        step_(network_.topology, specimen_.inputs.rows(), loss_of(task),
              {.kind = optimizer_of(task)}),
        regression_(task.kind == kRegression) {}

  void run() override {
    const nn::Targets<float> targets = regression_ ? nn::Targets<float>{.values = targets_}
                                                   : nn::Targets<float>{.labels = specimen_.labels};
    step_.run(network_, specimen_.inputs, targets, kStandingRate, runtime_.context());
  }
  Result<measure::Verification> verify() override {
    run();
    if (const Result<void> stands = verify_standing(name_, network_, specimen_); !stands) {
      return tl::unexpected(stands.error());
    }
    nn::Tape<float> tape(network_.topology, specimen_.inputs.rows());
    nn::forward<float>(network_, specimen_.inputs, tape, runtime_.context());
    return verify_forward(name_, specimen_, tape);
  }

 private:
  std::string name_;
  Specimen specimen_;
  Runtime<float> runtime_;
  nn::Mlp<float> network_;
  Matrix<float> targets_;
  nn::TrainingStep<float> step_;
  bool regression_;
};

}  // namespace

std::string name_of(const StepToTime& step) {
  return fmt::format("training_step/task:{}/w:{}", step.task, step.width);
}

std::vector<StepToTime> steps_to_time(const StudyJournal& journal, int round) {
  std::vector<StepToTime> all;
  if (round >= journal.plan.rounds) {
    return all;
  }
  for (const TrainingTask& task : journal.plan.trainings) {
    for (const std::size_t width : task.widths) {
      all.push_back({task.name, width});
    }
  }
  std::set<std::pair<std::string, std::size_t>> done;
  for (const StepRecord& record : journal.steps) {
    if (record.round == round) {
      done.emplace(record.task, record.width);
    }
  }
  std::vector<StepToTime> missing;
  const RandomStream stream(round_seed(journal.plan, round), kStepOrderStream);
  for (const std::size_t i : stream.permutation(all.size())) {
    if (!done.contains({all[i].task, all[i].width})) {
      missing.push_back(all[i]);
    }
  }
  return missing;
}

measure::Subject step_subject(const Plan& plan, const StepToTime& step) {
  const TrainingTask& task = task_named(plan, step.task);
  const nn::Topology topology = learner(task, step.width);
  measure::Subject subject;
  subject.name = name_of(step);
  subject.quantities = {
      .parameters = topology.parameters(),
      .neurons = topology.neurons(),
      .batch = plan.batch,
      .inputs = topology.inputs,
      .flops = nn::training_step_flops(topology, plan.batch, loss_of(task), optimizer_of(task)),
      .bytes = 0};
  subject.prepare = [name = subject.name, task, topology, batch = plan.batch,
                     setting = setting_of(plan)]() -> Result<std::unique_ptr<measure::Timed>> {
    Result<Runtime<float>> runtime = Runtime<float>::make(setting);
    if (!runtime) {
      return tl::unexpected(runtime.error());
    }
    return std::make_unique<TimedStep>(name, task, random_specimen(topology, batch, kSpecimenSeed),
                                       std::move(*runtime));
  };
  return subject;
}

StepRecord describe_step(const Plan& plan, const StepToTime& step, int round) {
  StepRecord record;
  record.round = round;
  record.task = step.task;
  record.topology = learner(task_named(plan, step.task), step.width).name();
  record.width = step.width;
  return record;
}

}  // namespace interpscale::study
