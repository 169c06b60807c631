// From the journal's trainings to laws, task by task.
// SPDX-License-Identifier: Apache-2.0
#include "study/training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "interpscale/core/require.hpp"
#include "interpscale/experiments/rules.hpp"
#include "interpscale/study/analysis.hpp"
#include "interpscale/study/training_result.hpp"
#include "study/analysis/training_laws.hpp"

namespace interpscale::study {
namespace {

using experiments::Figure;
using experiments::PowerFigure;
using scaling::BootstrapOptions;

/// Loss by [seed][run length], where every seed has every length; else empty.
std::vector<std::vector<double>> losses_of(const TrainingTask& task, std::size_t width,
                                           const std::vector<const TrainingRecord*>& results) {
  std::map<std::pair<int, std::uint64_t>, double> losses;
  for (const TrainingRecord* record : results) {
    if (record->width == width && record->status == "ok") {
      losses[{record->seed, record->steps}] = record->loss;
    }
  }
  std::vector<std::vector<double>> table;
  for (int seed = 0; seed < task.seeds; ++seed) {
    std::vector<double> row;
    for (const std::size_t steps : task.run_steps) {
      const auto found = losses.find({seed, steps});
      if (found == losses.end()) {
        return {};
      }
      row.push_back(found->second);
    }
    table.push_back(std::move(row));
  }
  return table;
}

TrainedSize size_of(const TrainingTask& task, std::size_t width,
                    const std::vector<const TrainingRecord*>& results,
                    std::vector<std::vector<double>> losses) {
  const auto record = std::ranges::find_if(
      results, [&](const TrainingRecord* candidate) { return candidate->width == width; });
  require(record != results.end(), "a size without a run");
  TrainedSize size;
  size.width = width;
  size.topology = (*record)->topology;
  size.parameters = static_cast<double>((*record)->parameters);
  size.learning_rate = (*record)->learning_rate;
  size.flops_per_step = (*record)->flops_per_step;
  size.run_steps.assign(task.run_steps.begin(), task.run_steps.end());
  size.losses = std::move(losses);
  std::vector<double> best;
  std::vector<double> gains;
  for (const std::vector<double>& of_seed : size.losses) {
    best.push_back(*std::ranges::min_element(of_seed));
    const std::size_t last = of_seed.size() - 1;
    gains.push_back(last == 0 ? 1 : 1 - of_seed[last] / of_seed[last - 1]);
  }
  size.best_loss = scaling::median(best);
  size.last_gain = scaling::median(gains);
  size.converged = size.last_gain <= kConvergedWithin;
  return size;
}

void add_step_times(const StudyJournal& journal, TaskResult& result) {
  for (TrainedSize& size : result.sizes) {
    for (const StepRecord& step : journal.steps) {
      if (step.task == result.task.name && step.width == size.width && step.status == "ok") {
        size.step_seconds.push_back(step.seconds);
      }
    }
  }
}

/// Steps of the sweeps over those of one longest training, at each width alike; failed runs count
/// as whole ones.
void add_tuning(const StudyJournal& journal, TaskResult& result) {
  std::vector<double> multiples;
  for (TrainedSize& size : result.sizes) {
    std::uint64_t swept = 0;
    for (const TrainingRecord& record : journal.trainings) {
      if (record.task == result.task.name && record.width == size.width &&
          record.purpose == "sweep") {
        swept += record.steps;
      }
    }
    size.tuning = static_cast<double>(swept) / static_cast<double>(size.run_steps.back());
    multiples.push_back(size.tuning);
  }
  result.tuning = multiples.empty() ? 0 : scaling::median(multiples);
}

TaskResult analyse_task(const StudyJournal& journal, const TrainingTask& task,
                        const BootstrapOptions& options) {
  TaskResult result;
  result.task = task;
  std::vector<const TrainingRecord*> results;
  for (const TrainingRecord& record : journal.trainings) {
    if (record.task == task.name && record.purpose == "result") {
      results.push_back(&record);
      result.failed += record.status == "ok" ? 0U : 1U;
    }
  }
  for (const std::size_t width : task.widths) {
    std::vector<std::vector<double>> losses = losses_of(task, width, results);
    if (losses.empty()) {
      result.notes.push_back(
          fmt::format("Width {} is left out: some of its runs failed or are missing.", width));
    } else {
      result.sizes.push_back(size_of(task, width, results, std::move(losses)));
    }
  }
  add_step_times(journal, result);
  add_tuning(journal, result);
  if (result.sizes.empty()) {
    return result;
  }
  fit_step_time(result, options);
  fit_losses(result, journal.plan.batch, options);
  fit_steps(result, options);
  return result;
}

std::string setting_of(const TaskResult& task) {
  const bool teacher = task.task.kind == kRegression;
  return fmt::format(
      "{} with {} inputs, {} hidden layers, {} sizes, N from {:.0f} to {:.0f}, {} seeds, {}",
      teacher ? "squared error of a teacher" : "cross-entropy on the study's data",
      task.task.inputs, task.task.depth, task.sizes.size(), task.sizes.front().parameters,
      task.sizes.back().parameters, task.task.seeds, name_of_optimizer(optimizer_of(task.task)));
}

}  // namespace

std::vector<TaskResult> analyse_trainings(const StudyJournal& journal,
                                          const BootstrapOptions& options) {
  std::vector<TaskResult> results;
  for (const TrainingTask& task : journal.plan.trainings) {
    results.push_back(analyse_task(journal, task, options));
  }
  return results;
}

experiments::TrainingEvidence evidence_of(const TaskResult& task) {
  experiments::TrainingEvidence evidence;
  evidence.task = task.task.name;
  evidence.dimension = task.task.kind == kRegression ? task.task.inputs : 0;
  if (task.sizes.empty()) {
    return evidence;
  }
  evidence.setting = setting_of(task);
  for (const StepsLaw& law : task.steps) {
    experiments::StepsEvidence steps;
    steps.flavour = law.flavour;
    steps.to_own_best = law.to_own_best;
    steps.detail = law.flavour == experiments::kComputeOptimal
                       ? fmt::format("best sizes at {} budgets of compute", law.sizes)
                       : fmt::format("{} of {} sizes, {} runs censored", law.sizes,
                                     task.sizes.size(), law.censored);
    if (law.steps) {
      steps.steps = law.steps->exponent;
    }
    if (law.time) {
      steps.time = law.time->exponent;
    }
    evidence.steps.push_back(std::move(steps));
  }
  const auto negated = [](const Figure& figure) {
    return Figure{-figure.value, {-figure.interval.high, -figure.interval.low}};
  };
  if (task.loss_power) {
    evidence.loss_in_parameters = negated(task.loss_power->exponent);
  }
  if (task.frontier_power) {
    evidence.loss_in_compute = negated(*task.frontier_power);
  }
  if (task.optimal) {
    evidence.optimal_size = Figure{task.optimal->exponent, task.optimal->interval};
  }
  return evidence;
}

}  // namespace interpscale::study
