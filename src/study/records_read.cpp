// Reading a study's journal back, and holding its records against each other.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "interpscale/kernels/kernel_call.hpp"
#include "interpscale/measure/journal.hpp"
#include "interpscale/study/records.hpp"
#include "study/records_describe.hpp"
#include "study/records_fields.hpp"

namespace interpscale::study {
namespace {

/// Takes a journal's records one by one; an error says what is wrong, not where.
class JournalReader {
 public:
  Result<void> take(const Json& json) {
    const auto kind = json.is_object() ? json.find("kind") : json.end();
    if (!json.is_object() || kind == json.end() || !kind->is_string()) {
      return fail("field 'kind' is missing or not a string");
    }
    const std::string name = kind->get<std::string>();
    if (!started_ && name != "study") {
      return fail("field 'kind': found '{}', wanted 'study' as a journal's first record", name);
    }
    if (name == "study") {
      return take_study(json);
    }
    if (name == "network") {
      return take_as<NetworkRecord>(json);
    }
    if (name == "left_out") {
      return take_as<LeftOut>(json);
    }
    if (name == "cell") {
      return take_as<CellRecord>(json);
    }
    if (name == "round") {
      return take_as<RoundRecord>(json);
    }
    if (name == "timing") {
      return take_as<TimingRecord>(json);
    }
    if (name == "calls") {
      return take_as<CallsRecord>(json);
    }
    if (name == "kernel") {
      return take_as<KernelRecord>(json);
    }
    if (name == "training") {
      return take_as<TrainingRecord>(json);
    }
    if (name == "step") {
      return take_as<StepRecord>(json);
    }
    if (name == "experiment") {
      return take_as<experiments::Outcome>(json);
    }
    return fail(
        "field 'kind': found '{}', wanted study, network, left_out, cell, round, timing, calls, "
        "kernel, training, step or experiment",
        name);
  }

  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] StudyJournal journal() { return std::move(journal_); }

 private:
  Result<void> take_study(const Json& json) {
    if (started_) {
      return fail("field 'kind': a second 'study' record in one journal");
    }
    const auto schema = json.find("schema");
    if (schema == json.end() || !schema->is_number_integer()) {
      return fail("field 'schema' is missing or not a whole number");
    }
    if (*schema != kSchemaVersion) {
      return fail("field 'schema': found {}, wanted {}: written by another version of interpscale",
                  schema->dump(), kSchemaVersion);
    }
    const auto plan = json.find("plan");
    if (plan == json.end() || json.size() != 3) {
      return fail("field 'plan' is missing, or there are others than kind, schema and plan");
    }
    Result<Plan> read = plan_from_json(*plan);
    if (!read) {
      return tl::unexpected(read.error());
    }
    journal_.plan = std::move(*read);
    started_ = true;
    return {};
  }

  template <class Record>
  Result<void> take_as(const Json& json) {
    Record record;
    FieldReader reader(json, "");
    describe(reader, record);
    if (std::optional<Error> error = reader.finish({"kind"})) {
      return tl::unexpected(std::move(*error));
    }
    return add(std::move(record));
  }

  Result<void> add(NetworkRecord record) {
    if (!topologies_.insert(record.topology).second) {
      return fail("field 'topology': a second network '{}'", record.topology);
    }
    journal_.networks.push_back(std::move(record));
    return {};
  }
  Result<void> add(LeftOut record) {
    journal_.left_out.push_back(std::move(record));
    return {};
  }
  Result<void> add(CellRecord record) {
    if (const Result<void> known = check_status(record.status); !known) {
      return known;
    }
    if (!topologies_.contains(record.topology)) {
      return fail("field 'topology': no network '{}' stands before this cell", record.topology);
    }
    if (!cells_.insert(record.cell).second) {
      return fail("field 'cell': a second cell '{}'", record.cell);
    }
    journal_.cells.push_back(std::move(record));
    return {};
  }
  Result<void> add(RoundRecord record) {
    if (record.round < 0) {
      return fail("field 'round': found {}, wanted 0 or more", record.round);
    }
    rounds_.insert(record.round);
    journal_.rounds.push_back(std::move(record));
    return {};
  }
  Result<void> add(TimingRecord record) {
    if (const Result<void> known = check_status(record.status); !known) {
      return known;
    }
    if (!cells_.contains(record.cell)) {
      return fail("field 'cell': no cell '{}' stands before this timing", record.cell);
    }
    if (!rounds_.contains(record.round)) {
      return fail("field 'round': no round {} stands before this timing", record.round);
    }
    if (record.status == "ok" && !(record.seconds > 0)) {
      return fail("field 'seconds': found {} in a timing that is ok, wanted more than 0",
                  record.seconds);
    }
    if (!timings_.emplace(record.round, record.cell).second) {
      return fail("field 'cell': a second timing of '{}' in round {}", record.cell, record.round);
    }
    journal_.timings.push_back(std::move(record));
    return {};
  }

  Result<void> add(CallsRecord record) {
    if (!cells_.contains(record.cell)) {
      return fail("field 'cell': no cell '{}' stands before its calls", record.cell);
    }
    if (!cells_with_calls_.insert(record.cell).second) {
      return fail("field 'cell': the calls of '{}' a second time", record.cell);
    }
    for (const CallsRecord::Count& call : record.calls) {
      if (const Result<kernels::KernelCall> parsed = kernels::parse_kernel_call(call.kernel);
          !parsed) {
        return fail("field 'calls': {}", parsed.error().message);
      }
      kernels_.insert(call.kernel);
    }
    journal_.calls.push_back(std::move(record));
    return {};
  }
  Result<void> add(KernelRecord record) {
    if (const Result<void> known = check_status(record.status); !known) {
      return known;
    }
    if (record.round < 0) {
      return fail("field 'round': found {}, wanted 0 or more", record.round);
    }
    if (!kernels_.contains(record.kernel)) {
      return fail("field 'kernel': no cell that calls '{}' stands before its time", record.kernel);
    }
    if (record.status == "ok" && !(record.seconds > 0 && record.flops_per_second > 0)) {
      return fail(
          "field 'seconds': found {} at a peak of {} in a time that is ok, wanted more than 0",
          record.seconds, record.flops_per_second);
    }
    if (!kernel_times_.emplace(record.round, record.kernel).second) {
      return fail("field 'kernel': a second time of '{}' in round {}", record.kernel, record.round);
    }
    journal_.kernels.push_back(std::move(record));
    return {};
  }

  Result<void> add(TrainingRecord record) {
    if (const Result<void> known = check_status(record.status); !known) {
      return known;
    }
    if (const Result<void> planned = check_planned(record.task, record.width); !planned) {
      return planned;
    }
    if (record.purpose != "sweep" && record.purpose != "result") {
      return fail("field 'purpose': found '{}', wanted 'sweep' or 'result'", record.purpose);
    }
    if (record.status == "ok" && !(record.loss > 0)) {
      return fail("field 'loss': found {} in a training that is ok, wanted more than 0",
                  record.loss);
    }
    // Of a sweep, runs differ by their learning rate; of the results, by length and seed.
    const double rate = record.purpose == "sweep" ? record.learning_rate : 0;
    if (!trainings_
             .emplace(record.task, record.purpose, record.width, record.seed, record.steps, rate)
             .second) {
      return fail("field 'task': a second {} run of '{}' with width {}, seed {}, {} steps",
                  record.purpose, record.task, record.width, record.seed, record.steps);
    }
    journal_.trainings.push_back(std::move(record));
    return {};
  }
  Result<void> add(StepRecord record) {
    if (const Result<void> known = check_status(record.status); !known) {
      return known;
    }
    if (const Result<void> planned = check_planned(record.task, record.width); !planned) {
      return planned;
    }
    if (!rounds_.contains(record.round)) {
      return fail("field 'round': no round {} stands before this step", record.round);
    }
    if (record.status == "ok" && !(record.seconds > 0)) {
      return fail("field 'seconds': found {} in a step that is ok, wanted more than 0",
                  record.seconds);
    }
    if (!steps_.emplace(record.round, record.task, record.width).second) {
      return fail("field 'task': a second step of '{}' with width {} in round {}", record.task,
                  record.width, record.round);
    }
    journal_.steps.push_back(std::move(record));
    return {};
  }

  Result<void> add(experiments::Outcome record) {
    if (const Result<void> known = check_status(record.status); !known) {
      return known;
    }
    if (!pieces_.emplace(record.experiment, record.piece).second) {
      return fail("field 'piece': a second '{}' of the experiment '{}'", record.piece,
                  record.experiment);
    }
    journal_.experiments.push_back(std::move(record));
    return {};
  }

  [[nodiscard]] Result<void> check_planned(const std::string& name, std::size_t width) const {
    for (const TrainingTask& task : journal_.plan.trainings) {
      if (task.name == name &&
          std::find(task.widths.begin(), task.widths.end(), width) != task.widths.end()) {
        return {};
      }
    }
    return fail("field 'task': the plan has no training '{}' with width {}", name, width);
  }

  static Result<void> check_status(const std::string& status) {
    if (status != "ok" && status != "failed") {
      return fail("field 'status': found '{}', wanted 'ok' or 'failed'", status);
    }
    return {};
  }

  bool started_ = false;
  StudyJournal journal_;
  std::set<std::string> topologies_;
  std::set<std::string> cells_;
  std::set<int> rounds_;
  std::set<std::pair<int, std::string>> timings_;
  std::set<std::string> cells_with_calls_;
  std::set<std::string> kernels_;
  std::set<std::pair<int, std::string>> kernel_times_;
  std::set<std::tuple<std::string, std::string, std::size_t, int, std::uint64_t, double>>
      trainings_;
  std::set<std::tuple<int, std::string, std::size_t>> steps_;
  std::set<std::pair<std::string, std::string>> pieces_;
};

}  // namespace

Result<StudyJournal> read_study_journal(const std::filesystem::path& path) {
  const Result<std::vector<Json>> records = measure::read_journal(path);
  if (!records) {
    return tl::unexpected(records.error());
  }
  JournalReader reader;
  for (std::size_t i = 0; i < records->size(); ++i) {
    if (const Result<void> taken = reader.take((*records)[i]); !taken) {
      return fail("{}: line {}: {}", path.string(), i + 1, taken.error().message);
    }
  }
  if (!reader.started()) {
    return fail("{}: found no record, wanted a study", path.string());
  }
  return reader.journal();
}

}  // namespace interpscale::study
