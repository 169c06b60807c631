// The rules of training to a result: networks, learning rates, and which runs are still to be made.
// SPDX-License-Identifier: Apache-2.0
#include "study/training.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"

namespace interpscale::study {
namespace {

/// Of the middle rate: two octaves to either side. Around the best, a factor of 2 changed the loss
/// of learners by 2 to 10 %.
constexpr std::array kSweptFactors = {0.25, 0.5, 1.0, 2.0, 4.0};
constexpr double kMiddleWidth = 16;
constexpr double kRateForLongRuns = 0.5;
/// Streams of the plan's seed; rounds use 2^48, networks and batches the lowest ones.
constexpr std::uint64_t kTrainingStream = (std::uint64_t{1} << 48) + 1;
/// Of one step of the narrowest networks: calls, schedule, batch.
constexpr double kStepOverheadSeconds = 12e-6;
/// Of one sample of a teacher's stream, on one core.
constexpr double kTeacherSeconds = 10e-6;

TrainingRun run_of(const TrainingRecord& record) {
  const bool sweep = record.purpose == "sweep";
  return {record.purpose, record.width, record.seed, record.steps,
          sweep ? record.learning_rate : 0};
}

/// Every run of the task's sweeps, or of its results.
std::vector<TrainingRun> runs_of(const TrainingTask& task, bool sweeps) {
  std::vector<TrainingRun> runs;
  for (const std::size_t width : task.widths) {
    if (sweeps) {
      for (const double rate : swept_rates(task, width)) {
        runs.push_back({"sweep", width, 0, task.sweep_steps, rate});
      }
      continue;
    }
    for (const std::size_t steps : task.run_steps) {
      for (int seed = 0; seed < task.seeds; ++seed) {
        runs.push_back({"result", width, seed, steps, 0});
      }
    }
  }
  std::ranges::stable_sort(runs, std::ranges::greater{}, [&](const TrainingRun& run) {
    return expected_training_seconds(task, run.width, run.steps);
  });
  return runs;
}

}  // namespace

nn::Topology learner(const TrainingTask& task, std::size_t width) {
  return {.inputs = task.inputs,
          .hidden = std::vector<std::size_t>(task.depth, width),
          .outputs = task.kind == kRegression ? 1 : kStudyClasses,
          .activation = kernels::Activation::kRelu};
}

nn::Loss loss_of(const TrainingTask& task) {
  return task.kind == kRegression ? nn::Loss::kMeanSquaredError : nn::Loss::kCrossEntropy;
}

nn::OptimizerKind optimizer_of(const TrainingTask& task) {
  return task.kind == kRegression ? nn::OptimizerKind::kAdam : nn::OptimizerKind::kSgd;
}

std::string name_of_optimizer(nn::OptimizerKind kind) {
  return kind == nn::OptimizerKind::kAdam ? "Adam" : "SGD with momentum 0.9";
}

std::vector<double> swept_rates(const TrainingTask& task, std::size_t width) {
  const double middle = task.middle_rate * std::sqrt(kMiddleWidth / static_cast<double>(width));
  std::vector<double> rates;
  for (const double factor : kSweptFactors) {
    rates.push_back(factor * middle);
  }
  return rates;
}

std::optional<double> chosen_rate(const TrainingTask& task, std::size_t width,
                                  const std::vector<TrainingRecord>& records) {
  const TrainingRecord* best = nullptr;
  for (const TrainingRecord& record : records) {
    if (record.task != task.name || record.purpose != "sweep" || record.width != width ||
        record.status != "ok") {
      continue;
    }
    if (best == nullptr || record.loss < best->loss ||
        (record.loss == best->loss && record.learning_rate < best->learning_rate)) {
      best = &record;
    }
  }
  return best == nullptr ? std::nullopt
                         : std::optional<double>(kRateForLongRuns * best->learning_rate);
}

std::vector<TrainingRun> missing_runs(const TrainingTask& task,
                                      const std::vector<TrainingRecord>& records) {
  std::vector<TrainingRun> done;
  for (const TrainingRecord& record : records) {
    if (record.task == task.name) {
      done.push_back(run_of(record));
    }
  }
  for (const bool sweeps : {true, false}) {
    std::vector<TrainingRun> runs = runs_of(task, sweeps);
    std::erase_if(
        runs, [&](const TrainingRun& run) { return std::ranges::find(done, run) != done.end(); });
    if (!runs.empty()) {
      return runs;
    }
  }
  return {};
}

double expected_training_seconds(const TrainingTask& task, std::size_t width, std::uint64_t steps) {
  const nn::Topology topology = learner(task, width);
  constexpr std::size_t kBatch = 128;
  const double step = assumed_seconds(6 * topology.parameters() * kBatch, topology, kBatch);
  return static_cast<double>(steps) * (kStepOverheadSeconds + step);
}

double assumed_trainings_seconds(const Plan& plan) {
  double total = 0;
  for (const TrainingTask& task : plan.trainings) {
    for (const bool sweeps : {true, false}) {
      for (const TrainingRun& run : runs_of(task, sweeps)) {
        total += expected_training_seconds(task, run.width, run.steps) / kAssumedTrainingCores;
      }
    }
    for (const std::size_t width : task.widths) {
      const double step = expected_training_seconds(task, width, 1);
      total += plan.rounds *
               (plan.warm_up_seconds + plan.repetitions * std::max(step, plan.min_seconds));
    }
    if (task.kind == kRegression) {
      const std::size_t longest = std::max(task.run_steps.back(), task.sweep_steps);
      total += static_cast<double>(longest * plan.batch) * kTeacherSeconds / kAssumedTrainingCores;
    }
  }
  return total;
}

std::uint64_t training_seed(const Plan& plan, int seed) {
  require(seed >= 0, "training_seed: a negative index");
  return RandomStream(plan.seed, kTrainingStream).bits(static_cast<std::uint64_t>(seed));
}

}  // namespace interpscale::study
