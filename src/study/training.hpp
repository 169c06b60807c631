// Training to a result: one run of a task, its data, and the rules for its learning rates.
// docs/training.md states the rules and why they are so.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/data/batches.hpp"
#include "interpscale/data/dataset.hpp"
#include "interpscale/nn/loss.hpp"
#include "interpscale/nn/optimizer.hpp"
#include "interpscale/study/plan.hpp"
#include "interpscale/study/records.hpp"

namespace interpscale::study {

/// The networks that learn a task: `depth` hidden layers of `width` units; one output in
/// regression, a class each in classification.
[[nodiscard]] nn::Topology learner(const TrainingTask& task, std::size_t width);
[[nodiscard]] nn::Loss loss_of(const TrainingTask& task);
/// Adam in regression (plain SGD would spend the budget on the smallest curvatures), SGD with
/// momentum in classification: the tax's denominator.
[[nodiscard]] nn::OptimizerKind optimizer_of(const TrainingTask& task);
[[nodiscard]] std::string name_of_optimizer(nn::OptimizerKind kind);

/// The swept rates at a width, ascending: middle_rate (16 / width)^(1/2) times 1/4 ... 4.
[[nodiscard]] std::vector<double> swept_rates(const TrainingTask& task, std::size_t width);
/// Half of the swept rate with the least loss (ties: the smaller rate) among the runs that stayed
/// finite: the best rate falls with the run's length, and sweeps are short. Learners of 4 inputs
/// had their best after 2,048 steps at two to four times the rate that was best after 16,384.
[[nodiscard]] std::optional<double> chosen_rate(const TrainingTask& task, std::size_t width,
                                                const std::vector<TrainingRecord>& records);

/// What one run is, before it has run.
struct TrainingRun {
  std::string purpose;  ///< "sweep" or "result"
  std::size_t width = 0;
  int seed = 0;
  std::uint64_t steps = 0;
  double learning_rate = 0;  ///< 0 in a result's run: the chosen one
  bool operator==(const TrainingRun&) const = default;
};

/// The runs that a task still needs, dearest first: first its sweeps, and its results once no sweep
/// is missing.
[[nodiscard]] std::vector<TrainingRun> missing_runs(const TrainingTask& task,
                                                    const std::vector<TrainingRecord>& records);

/// Fresh samples for every run of a task, and the examples that its losses are of.
///
/// Regression: a stream of teacher's batches, as long as the longest run, drawn once; a run begins
/// at a place in it that its seed decides, and sees no sample twice. Classification: epochs of the
/// plan's training examples in the order of the seed.
class TaskData {
 public:
  [[nodiscard]] static Result<TaskData> make(const TrainingTask& task, const Plan& plan,
                                             int threads);
  [[nodiscard]] const data::Dataset& test() const { return split_.test; }
  [[nodiscard]] const data::Dataset& train() const { return split_.train; }

 private:
  data::Split split_;
};

/// Trains one network from its initial values to the end of the run's schedule. Bits depend on the
/// plan and the run alone.
[[nodiscard]] Result<TrainingRecord> train_to_result(const TrainingTask& task, const Plan& plan,
                                                     const TaskData& data, const TrainingRun& run);

/// What a run is assumed to take on one core.
[[nodiscard]] double expected_training_seconds(const TrainingTask& task, std::size_t width,
                                               std::uint64_t steps);

/// The seed of everything random in the runs of one seed index.
[[nodiscard]] std::uint64_t training_seed(const Plan& plan, int seed);

}  // namespace interpscale::study
