// Plans as values: checking one, writing it, reading it back, comparing two.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/plan.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "interpscale/experiments/argument.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "study/expand_subjects.hpp"
#include "study/plan_describe.hpp"
#include "study/records_fields.hpp"

namespace interpscale::study {
namespace {

constexpr std::size_t kLargestDepth = 256;
constexpr std::size_t kLargestBatch = std::size_t{1} << 16;
constexpr std::size_t kLargestInputs = std::size_t{1} << 16;
constexpr std::size_t kLargestStudyWidth = std::size_t{1} << 14;
constexpr int kMostRounds = 1000;
constexpr int kMostThreads = 1024;
constexpr double kLongestSeconds = 3600;
constexpr int kMostSeeds = 100;
constexpr std::size_t kLongestRun = std::size_t{1} << 24;
constexpr double kSmallestRate = 1e-9;
constexpr double kLargestRate = 1e3;

/// Collects the first thing that is wrong with a plan.
class Checks {
 public:
  template <class T>
  void within(std::string_view field, T found, T least, T most) {
    if (!(found >= least && found <= most)) {
      complain(fmt::format("{} is {}, wanted {} to {}", field, found, least, most));
    }
  }
  void extents(std::string_view axis, const std::vector<std::size_t>& values, std::size_t most) {
    for (const std::size_t value : values) {
      within(axis, value, std::size_t{1}, most);
    }
    if (std::set<std::size_t>(values.begin(), values.end()).size() != values.size()) {
      complain(fmt::format("{} names a size twice", axis));
    }
  }
  void complain(std::string message) {
    if (error_.empty()) {
      error_ = std::move(message);
    }
  }
  [[nodiscard]] Result<void> result() const {
    if (!error_.empty()) {
      return fail("plan: {}", error_);
    }
    return {};
  }

 private:
  std::string error_;
};

void check_shapes(const Plan& plan, Checks& checks) {
  const bool crossed = !plan.widths.empty() || !plan.depths.empty() || !plan.inputs.empty();
  if (!plan.shapes.empty() && crossed) {
    checks.complain("shapes are given and so are widths, depths or inputs; give one or the other");
  }
  if (plan.shapes.empty() && (plan.widths.empty() || plan.depths.empty() || plan.inputs.empty())) {
    checks.complain("widths, depths and inputs must each name at least one size");
  }
  checks.extents("widths", plan.widths, kLargestStudyWidth);
  checks.extents("depths", plan.depths, kLargestDepth);
  checks.extents("inputs", plan.inputs, kLargestInputs);
  for (std::size_t i = 0; i < plan.shapes.size(); ++i) {
    const Shape& shape = plan.shapes[i];
    checks.within("a shape's width", shape.width, std::size_t{1}, kLargestStudyWidth);
    checks.within("a shape's depth", shape.depth, std::size_t{1}, kLargestDepth);
    checks.within("a shape's inputs", shape.inputs, std::size_t{1}, kLargestInputs);
    if (std::count(plan.shapes.begin(), plan.shapes.end(), shape) > 1) {
      checks.complain(fmt::format("the shape of {} inputs, width {}, depth {} stands twice",
                                  shape.inputs, shape.width, shape.depth));
    }
  }
}

void check_numbers(const Plan& plan, Checks& checks) {
  checks.within("batch", plan.batch, std::size_t{1}, kLargestBatch);
  checks.within("rounds", plan.rounds, 1, kMostRounds);
  checks.within("extra_rounds", plan.extra_rounds, 0, kMostRounds);
  checks.within("kernel_rounds", plan.kernel_rounds, 0, kMostRounds);
  checks.within("threads", plan.threads, 1, kMostThreads);
  checks.within("path_steps", plan.path_steps, 1, 4096);
  checks.within("permutations", plan.permutations, 1, 4096);
  checks.within("training_steps", plan.training_steps, 1, 1'000'000);
  checks.within("repetitions", plan.repetitions, 1, 1000);
  checks.within("cell_floor_seconds", plan.cell_floor_seconds, 0.0, kLongestSeconds);
  checks.within("cell_budget_seconds", plan.cell_budget_seconds, 1e-9, kLongestSeconds);
  checks.within("subject_seconds", plan.subject_seconds, 0.0, kLongestSeconds);
  checks.within("min_seconds", plan.min_seconds, 1e-6, kLongestSeconds);
  checks.within("warm_up_seconds", plan.warm_up_seconds, 0.0, kLongestSeconds);
}

void check_trainings(const Plan& plan, Checks& checks) {
  std::set<std::string> names;
  for (const TrainingTask& task : plan.trainings) {
    if (task.name.empty() || !names.insert(task.name).second) {
      checks.complain(fmt::format("trainings: the name '{}' is empty or stands twice", task.name));
    }
    const auto field = [&](const char* what) { return fmt::format("{}: {}", task.name, what); };
    if (task.kind != kRegression && task.kind != kClassification) {
      checks.complain(fmt::format("{} is '{}', wanted '{}' or '{}'", field("kind"), task.kind,
                                  kRegression, kClassification));
    }
    checks.within(field("inputs"), task.inputs, std::size_t{1}, kLargestInputs);
    checks.within(field("depth"), task.depth, std::size_t{1}, kLargestDepth);
    checks.within(field("seeds"), task.seeds, 1, kMostSeeds);
    checks.within(field("middle_rate"), task.middle_rate, kSmallestRate, kLargestRate);
    checks.within(field("sweep_steps"), task.sweep_steps, std::size_t{1}, kLongestRun);
    for (const auto& [axis, values, most] :
         {std::tuple("widths", &task.widths, kLargestStudyWidth),
          std::tuple("run_steps", &task.run_steps, kLongestRun)}) {
      checks.extents(field(axis), *values, most);
      if (values->empty() || !std::is_sorted(values->begin(), values->end())) {
        checks.complain(fmt::format("{} must name at least one size, ascending", field(axis)));
      }
    }
  }
}

}  // namespace

Result<void> validate(const Plan& plan) {
  Checks checks;
  if (plan.data.empty()) {
    checks.complain("data is empty, wanted a data set's name or folder");
  }
  check_shapes(plan, checks);
  check_numbers(plan, checks);
  check_trainings(plan, checks);
  if (const auto scale = experiments::argument_scale(plan.experiments); !scale) {
    checks.complain(scale.error().message);
  } else if (!scale->widths.empty() && plan.data == kSyntheticData) {
    checks.complain(fmt::format(
        "experiments '{}' are on images, and data is '{}': wanted a data set's name or folder",
        plan.experiments, plan.data));
  }
  const std::vector<std::string> backends = kernels::backend_names<float>();
  if (std::find(backends.begin(), backends.end(), plan.backend) == backends.end()) {
    checks.complain(
        fmt::format("backend is '{}', wanted one of: {}", plan.backend, fmt::join(backends, ", ")));
  }
  if (const auto subjects = subjects_of(plan); !subjects) {
    checks.complain(subjects.error().message);
  }
  return checks.result();
}

Json to_json(const Plan& plan) {
  return FieldWriter::encode(plan);
}

Result<Plan> plan_from_json(const Json& json) {
  Plan plan;
  FieldReader reader(json, "");
  if (json.is_object()) {
    describe(reader, plan);
  }
  if (const std::optional<Error> error = reader.finish()) {
    return fail("plan: {}", error->message);
  }
  return plan;
}

std::string first_difference(const Plan& first, const Plan& second) {
  const Json left = to_json(first);
  const Json right = to_json(second);
  for (const auto& [name, value] : left.items()) {
    if (value != right.at(name)) {
      return fmt::format("{}: {} in the first, {} in the second", name, value.dump(),
                         right.at(name).dump());
    }
  }
  return "";
}

Setting setting_of(const Plan& plan) {
  Setting setting;
  setting.backend = plan.backend;
  setting.simd_target = plan.simd_target;
  setting.threads = plan.threads;
  setting.path_steps = plan.path_steps;
  setting.permutations = plan.permutations;
  return setting;
}

}  // namespace interpscale::study
