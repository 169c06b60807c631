// The stage of a study that trains networks to a result: every task's sweep of learning rates,
// then every width, seed and run length. Several networks train at once, each on one thread; no
// step is timed before all of them are done.
// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "study/run_parallel.hpp"
#include "study/run_state.hpp"
#include "study/training.hpp"

namespace interpscale::study {
namespace {

/// An error where a width of the task has no learning rate that trains it.
Result<void> choose_rates(const TrainingTask& task, const std::vector<TrainingRecord>& records,
                          std::vector<TrainingRun>& runs) {
  for (TrainingRun& run : runs) {
    if (run.purpose == "sweep") {
      continue;
    }
    const std::optional<double> rate = chosen_rate(task, run.width, records);
    if (!rate) {
      return fail(
          "training '{}': no learning rate of the sweep keeps the loss finite at width {}; lower "
          "the plan's middle_rate of {}",
          task.name, run.width, task.middle_rate);
    }
    run.learning_rate = *rate;
  }
  return {};
}

Result<void> train_task(RunState& state, const TrainingTask& task) {
  std::optional<TaskData> data;
  for (;;) {
    std::vector<TrainingRun> runs = missing_runs(task, state.journal.trainings);
    if (runs.empty()) {
      return {};
    }
    if (Result<void> chosen = choose_rates(task, state.journal.trainings, runs); !chosen) {
      return chosen;
    }
    if (!data) {
      state.report("training to a result", task.name + ", data");
      Result<TaskData> made =
          TaskData::make(task, state.journal.plan, static_cast<int>(worker_count()));
      if (!made) {
        return tl::unexpected(made.error());
      }
      data = std::move(*made);
    }
    Result<void> trained = for_each_in_parallel(
        runs.size(), worker_count(),
        [&](std::size_t i) { return train_to_result(task, state.journal.plan, *data, runs[i]); },
        [&](TrainingRecord record) -> Result<void> {
          if (Result<void> written = state.out.append(to_json(record)); !written) {
            return written;
          }
          state.done_seconds +=
              expected_training_seconds(task, record.width, record.steps) / kAssumedTrainingCores;
          state.report("training to a result", fmt::format("{}, width {}, {} steps", task.name,
                                                           record.width, record.steps));
          state.journal.trainings.push_back(std::move(record));
          return {};
        });
    if (!trained) {
      return trained;
    }
  }
}

}  // namespace

Result<void> make_trainings(RunState& state) {
  for (const TrainingTask& task : state.journal.plan.trainings) {
    if (Result<void> trained = train_task(state, task); !trained) {
      return trained;
    }
  }
  return {};
}

}  // namespace interpscale::study
