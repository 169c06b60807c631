// Training to a result: its rules at their boundaries, and runs that are the same whoever asks.
// SPDX-License-Identifier: Apache-2.0
#include "study/training.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "interpscale/study/run.hpp"
#include "study/training_steps.hpp"
#include "support/catch.hpp"

namespace interpscale::study {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

Plan smoke_plan() {
  Plan plan;
  plan.data = kSyntheticData;
  plan.widths = {8};
  plan.depths = {1};
  plan.inputs = {16};
  plan.subjects = {"forward"};
  plan.batch = 16;
  plan.rounds = 1;
  plan.extra_rounds = 0;
  plan.training_steps = 3;
  plan.min_seconds = 0.0002;
  plan.warm_up_seconds = 0;
  plan.repetitions = 1;
  plan.trainings = *training_design("smoke");
  return plan;
}

TrainingRecord sweep_record(const TrainingTask& task, std::size_t width, double rate, double loss) {
  TrainingRecord record;
  record.task = task.name;
  record.purpose = "sweep";
  record.width = width;
  record.steps = task.sweep_steps;
  record.learning_rate = rate;
  record.status = loss > 0 ? "ok" : "failed";
  record.loss = loss;
  return record;
}

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / fmt::format("training-{}", getpid())) {
    fs::remove_all(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Everything but the rounds, whose child fails at once.
void run_without_rounds(const Plan& plan, const fs::path& folder) {
  const Result<RunSummary> summary =
      run_study(plan, {.folder = folder, .program = "/bin/false", .progress = {}});
  REQUIRE_FALSE(summary);
  INFO(summary.error().message);
  CHECK_THAT(summary.error().message, Contains("round 1 of 1"));
}

/// A training as it must come out whenever and beside whatever it is run: all but its seconds.
nlohmann::ordered_json timeless(TrainingRecord record) {
  for (CurvePoint& point : record.curve) {
    point.seconds = 0;
  }
  return to_json(record);
}

std::multiset<std::string> timeless(const std::vector<TrainingRecord>& records) {
  std::multiset<std::string> result;
  for (const TrainingRecord& record : records) {
    result.insert(timeless(record).dump());
  }
  return result;
}

}  // namespace

TEST_CASE("training: swept rates lie two octaves around the middle and fall with the width's root",
          "[study][training]") {
  const TrainingTask task = training_design("smoke")->front();
  const std::vector<double> at_16 = swept_rates(task, 16);
  REQUIRE(at_16.size() == 5);
  CHECK(at_16.front() == Approx(task.middle_rate / 4));
  CHECK(at_16.back() == Approx(task.middle_rate * 4));
  CHECK(swept_rates(task, 64)[2] == Approx(task.middle_rate / 2));
}

TEST_CASE("training: chosen is half the rate with the least finite loss, the smaller of two alike",
          "[study][training]") {
  const TrainingTask task = training_design("smoke")->front();
  std::vector<TrainingRecord> records;
  CHECK_FALSE(chosen_rate(task, 4, records));
  records.push_back(sweep_record(task, 4, 0.3, 0));  // failed
  CHECK_FALSE(chosen_rate(task, 4, records));
  records.push_back(sweep_record(task, 4, 0.2, 0.5));
  records.push_back(sweep_record(task, 4, 0.1, 0.5));
  records.push_back(sweep_record(task, 4, 0.05, 0.6));
  records.push_back(sweep_record(task, 8, 0.01, 0.1));  // another width
  CHECK(chosen_rate(task, 4, records) == 0.05);
}

TEST_CASE("training: results are run once no sweep is missing, the dearest first",
          "[study][training]") {
  const TrainingTask task = training_design("smoke")->front();
  std::vector<TrainingRecord> records;
  std::vector<TrainingRun> runs = missing_runs(task, records);
  REQUIRE(runs.size() == 5 * task.widths.size());
  const auto seconds = [&](const TrainingRun& run) {
    return expected_training_seconds(task, run.width, run.steps);
  };
  CHECK(std::ranges::is_sorted(runs, std::ranges::greater{}, seconds));
  for (const TrainingRun& run : runs) {
    CHECK(run.purpose == "sweep");
    records.push_back(sweep_record(task, run.width, run.learning_rate, 0.5));
  }
  runs = missing_runs(task, records);
  REQUIRE(runs.size() == task.widths.size() * task.run_steps.size() * 2);
  CHECK(std::ranges::is_sorted(runs, std::ranges::greater{}, seconds));
  CHECK(runs.front().purpose == "result");
  CHECK(runs.front().steps == task.run_steps.back());
  TrainingRecord done = sweep_record(task, runs.front().width, 0.1, 0.5);
  done.purpose = "result";
  done.steps = runs.front().steps;
  records.push_back(done);
  CHECK(missing_runs(task, records).size() == runs.size() - 1);
}

TEST_CASE("training: a run is a function of plan and run alone, and learns", "[study][training]") {
  const Plan plan = smoke_plan();
  TrainingTask task = plan.trainings.front();
  task.run_steps = {400};
  const Result<TaskData> data = TaskData::make(task, plan, 1);
  const Result<TaskData> again = TaskData::make(task, plan, 2);
  REQUIRE(data);
  REQUIRE(again);
  const TrainingRun run{"result", 12, 1, 400, 0.02};
  const Result<TrainingRecord> first = train_to_result(task, plan, *data, run);
  const Result<TrainingRecord> second = train_to_result(task, plan, *again, run);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(timeless(*first) == timeless(*second));
  CHECK(first->status == "ok");
  CHECK(first->loss < 0.7 * first->curve.front().loss);
  CHECK(first->curve.front().steps == 0);
  CHECK(first->curve.back().steps == 400);
  CHECK(first->curve.back().samples == 400 * plan.batch);
  CHECK(first->curve.back().flops == 400 * first->flops_per_step);
  CHECK(first->curve.back().loss == first->loss);
  const Result<TrainingRecord> other =
      train_to_result(task, plan, *data, {"result", 12, 0, 400, 0.02});
  REQUIRE(other);
  CHECK(other->loss != first->loss);
}

TEST_CASE("training: a loss that overflows is a failed run, with the step", "[study][training]") {
  const Plan plan = smoke_plan();
  const TrainingTask& task = plan.trainings.front();
  const Result<TaskData> data = TaskData::make(task, plan, 1);
  REQUIRE(data);
  const Result<TrainingRecord> record =
      train_to_result(task, plan, *data, {"result", 8, 0, 64, 1e30});
  REQUIRE(record);
  CHECK(record->status == "failed");
  CHECK_THAT(record->reason, Contains("no longer finite in step"));
  CHECK(record->loss == 0);
  CHECK(std::all_of(record->curve.begin(), record->curve.end(),
                    [](const CurvePoint& point) { return std::isfinite(point.loss); }));
}

TEST_CASE("training: an interrupted study makes the missing runs and no other",
          "[study][training][run]") {
  const Folder folder;
  const Plan plan = smoke_plan();
  const TrainingTask& task = plan.trainings.front();
  run_without_rounds(plan, folder.path());
  const fs::path path = journal_file(folder.path());
  const Result<StudyJournal> whole = read_study_journal(path);
  REQUIRE(whole);
  const std::size_t sweeps = 5 * task.widths.size();
  const std::size_t results = task.widths.size() * task.run_steps.size() * 2;
  REQUIRE(whole->trainings.size() == sweeps + results);

  // As after a kill: some lines are lost, the last one is torn.
  std::vector<std::string> lines;
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  stream.close();
  const std::size_t lost = GENERATE(std::size_t{3}, std::size_t{40});
  std::ofstream cut(path, std::ios::trunc);
  for (std::size_t i = 0; i + lost < lines.size(); ++i) {
    cut << lines[i] << '\n';
  }
  cut << lines[lines.size() - lost].substr(0, 30);
  cut.close();
  run_without_rounds(plan, folder.path());
  const Result<StudyJournal> resumed = read_study_journal(path);
  REQUIRE(resumed);
  CHECK(timeless(resumed->trainings) == timeless(whole->trainings));

  // Whole: a third run adds nothing.
  const auto size = fs::file_size(path);
  run_without_rounds(plan, folder.path());
  CHECK(fs::file_size(path) == size);
}

TEST_CASE("training: a round times each task's step once, after verifying it",
          "[study][training][run]") {
  const Folder folder;
  const Plan plan = smoke_plan();
  run_without_rounds(plan, folder.path());
  REQUIRE(run_round(folder.path(), 0, {}));
  const Result<StudyJournal> journal = read_study_journal(journal_file(folder.path()));
  REQUIRE(journal);
  CHECK(journal->steps.size() == plan.trainings.front().widths.size());
  for (const StepRecord& step : journal->steps) {
    INFO(step.reason);
    CHECK(step.status == "ok");
  }
  CHECK(steps_to_time(*journal, 0).empty());
  CHECK(steps_to_time(*journal, plan.rounds).empty());  // an extra round
  // The study is complete.
  CHECK(run_study(plan, {.folder = folder.path(), .program = "/bin/false", .progress = {}}));
}

}  // namespace interpscale::study
