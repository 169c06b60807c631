// One run of a training task, from its initial values to the end of its schedule.
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cmath>
#include <set>
#include <span>

#include "interpscale/data/fit.hpp"
#include "interpscale/data/teacher.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/nn/training_step.hpp"
#include "study/networks_data.hpp"
#include "study/training.hpp"

namespace interpscale::study {
namespace {

/// The teacher: finer in structure than its learners can follow (four layers of 64 against two of
/// at most 128, most of them far fewer). Tried and lost: three layers of 64 and smooth (tanh)
/// teachers, which leave learners of 8 inputs steeper than 4/d.
constexpr std::size_t kTeacherWidth = 64;
constexpr std::size_t kTeacherDepth = 4;
constexpr std::size_t kRegressionTest = 8192;
constexpr std::size_t kClassificationTest = 4096;
/// Rows of the teacher's stream that are drawn at once.
constexpr std::size_t kStreamRows = 4096;
/// Learners' initial biases: kinks that do not all pass through the origin.
constexpr double kBiasDeviation = 0.1;
/// A loss curve's points stand at the run's length over powers of this, from this many steps on.
constexpr std::uint64_t kCurveRatio = 2;
constexpr std::uint64_t kFirstCurveStep = 8;

data::Dataset regression_examples(const data::TeacherStudent& teacher, std::uint64_t first_index,
                                  std::size_t rows, int threads) {
  const std::size_t inputs = teacher.teacher().topology.inputs;
  data::Dataset examples;
  examples.name = kRegression;
  examples.inputs = Matrix<float>(rows, inputs);
  examples.targets = Matrix<float>(rows, 1);
  data::Batch batch;
  for (std::size_t row = 0; row < rows; row += kStreamRows) {
    const std::size_t count = std::min(kStreamRows, rows - row);
    teacher.fill(first_index + row / kStreamRows, count, batch, threads);
    copy<float>(batch.inputs, examples.inputs.view().rows_from(row, count));
    copy<float>(batch.targets, examples.targets.view().rows_from(row, count));
  }
  return examples;
}

data::Split regression_split(const TrainingTask& task, const Plan& plan, int threads) {
  const nn::Topology topology{.inputs = task.inputs,
                              .hidden = std::vector<std::size_t>(kTeacherDepth, kTeacherWidth),
                              .outputs = 1,
                              .activation = kernels::Activation::kRelu};
  const data::TeacherStudent teacher(topology, plan.seed);
  const std::size_t longest = std::max(task.run_steps.back(), task.sweep_steps);
  const std::size_t test_batches = kRegressionTest / kStreamRows;
  return {regression_examples(teacher, test_batches, longest * plan.batch, threads),
          regression_examples(teacher, 0, kRegressionTest, threads)};
}

/// The steps after which the test loss is taken, beside the start.
std::set<std::uint64_t> curve_steps(std::uint64_t steps) {
  std::set<std::uint64_t> taken = {steps};
  for (std::uint64_t step = steps / kCurveRatio; step >= kFirstCurveStep; step /= kCurveRatio) {
    taken.insert(step);
  }
  return taken;
}

/// The batches of one run, in its order.
class RunBatches {
 public:
  RunBatches(const data::Dataset& examples, std::size_t batch, std::uint64_t seed)
      : examples_(examples), batch_(batch), epochs_(examples, batch, seed) {
    const std::size_t batches = examples.inputs.rows() / batch;
    first_ = batches == 0 ? 0 : static_cast<std::size_t>(seed % batches);
  }

  struct Samples {
    MatrixView<const float> inputs;
    nn::Targets<float> targets;
  };

  [[nodiscard]] Samples of_step(std::uint64_t step) {
    return examples_.labels.empty() ? from_stream(step) : from_epochs(step);
  }

 private:
  [[nodiscard]] Samples from_stream(std::uint64_t step) const {
    const std::size_t batches = examples_.inputs.rows() / batch_;
    const std::size_t row = (first_ + step) % batches * batch_;
    return {examples_.inputs.view().rows_from(row, batch_),
            {.values = examples_.targets.view().rows_from(row, batch_)}};
  }
  [[nodiscard]] Samples from_epochs(std::uint64_t step) {
    const std::size_t per_epoch = epochs_.per_epoch();
    const std::size_t rows = epochs_.fill(step / per_epoch, step % per_epoch, filled_);
    return {filled_.inputs.view().rows_from(0, rows),
            {.labels = std::span<const std::uint32_t>(filled_.labels).first(rows)}};
  }

  const data::Dataset& examples_;
  std::size_t batch_;
  data::Batches epochs_;
  data::Batch filled_;
  std::size_t first_ = 0;
};

TrainingRecord describe_run(const TrainingTask& task, const Plan& plan, const TrainingRun& run) {
  const nn::Topology topology = learner(task, run.width);
  TrainingRecord record;
  record.task = task.name;
  record.purpose = run.purpose;
  record.topology = topology.name();
  record.width = run.width;
  record.parameters = topology.parameters();
  record.seed = run.seed;
  record.optimizer = name_of_optimizer(optimizer_of(task));
  record.learning_rate = run.learning_rate;
  record.batch = plan.batch;
  record.steps = run.steps;
  record.flops_per_step =
      nn::training_step_flops(topology, plan.batch, loss_of(task), optimizer_of(task));
  record.status = "ok";
  return record;
}

}  // namespace

Result<TaskData> TaskData::make(const TrainingTask& task, const Plan& plan, int threads) {
  TaskData result;
  if (task.kind == kRegression) {
    result.split_ = regression_split(task, plan, threads);
    return result;
  }
  // All the examples that there are.
  Plan whole = plan;
  whole.training_steps = 1'000'000;
  const Result<StudyData> data = StudyData::open(whole, kClassificationTest);
  if (!data) {
    return tl::unexpected(data.error());
  }
  Result<data::Split> split = data->with_inputs(task.inputs);
  if (!split) {
    return tl::unexpected(split.error());
  }
  result.split_ = std::move(*split);
  return result;
}

Result<TrainingRecord> train_to_result(const TrainingTask& task, const Plan& plan,
                                       const TaskData& data, const TrainingRun& run) {
  using Clock = std::chrono::steady_clock;
  const auto backend = kernels::make_backend<float>(plan.backend, plan.simd_target);
  if (!backend) {
    return tl::unexpected(backend.error());
  }
  TrainingRecord record = describe_run(task, plan, run);
  const std::uint64_t seed = training_seed(plan, run.seed);
  const nn::Topology topology = learner(task, run.width);
  nn::Mlp<float> network = nn::initialise_he<float>(topology, seed, kBiasDeviation);
  Workspace workspace;
  const kernels::Context<float> context(**backend, 1, workspace);
  nn::TrainingStep<float> step(topology, plan.batch, loss_of(task), {.kind = optimizer_of(task)});
  RunBatches batches(data.train(), plan.batch, seed);
  data::FitOptions schedule;
  schedule.peak_rate = run.learning_rate;
  const std::set<std::uint64_t> taken = curve_steps(run.steps);
  Clock::duration spent{};
  const auto take = [&](std::uint64_t steps) {
    const data::Evaluation test = data::evaluate(network, data.test(), context);
    record.curve.push_back({steps, steps * plan.batch, steps * record.flops_per_step,
                            std::chrono::duration<double>(spent).count(), test.loss});
    record.loss = test.loss;
    record.accuracy = test.accuracy;
    return std::isfinite(test.loss);
  };
  bool finite = take(0);
  for (std::uint64_t s = 0; s < run.steps && finite; ++s) {
    const RunBatches::Samples samples = batches.of_step(s);
    const Clock::time_point start = Clock::now();
    const double loss = step.run(network, samples.inputs, samples.targets,
                                 data::learning_rate(schedule, s, run.steps), context);
    spent += Clock::now() - start;
    finite = std::isfinite(loss) && (!taken.contains(s + 1) || take(s + 1));
    if (!finite) {
      record.status = "failed";
      record.reason = fmt::format("the loss was no longer finite in step {}", s + 1);
    }
  }
  if (!finite) {
    std::erase_if(record.curve, [](const CurvePoint& point) { return !std::isfinite(point.loss); });
    record.loss = 0;
    record.accuracy = 0;
  }
  return record;
}

}  // namespace interpscale::study
