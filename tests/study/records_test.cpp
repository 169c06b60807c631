// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/records.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "support/catch.hpp"

namespace interpscale::study {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

/// A journal file of its own, removed at the end.
class JournalFile {
 public:
  JournalFile() : path_(fs::temp_directory_path() / fmt::format("records-{}.jsonl", getpid())) {
    fs::remove(path_);
  }
  ~JournalFile() { fs::remove(path_); }
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;

  void add_text(const std::string& text) const { std::ofstream(path_, std::ios::app) << text; }
  void add(const Json& record) const { add_text(record.dump() + "\n"); }
  [[nodiscard]] std::string error() const {
    const Result<StudyJournal> read = read_study_journal(path_);
    return read ? "" : read.error().message;
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Plan tiny_plan() {
  Plan plan;
  plan.preset = "quick";
  plan.shapes = {{16, 8, 1}, {49, 8, 2}};
  plan.subjects = {"forward"};
  plan.min_seconds = 0.001;
  plan.trainings = {{.name = "teacher-d4",
                     .kind = "regression",
                     .inputs = 4,
                     .depth = 1,
                     .widths = {2, 4},
                     .run_steps = {8, 16},
                     .seeds = 2,
                     .middle_rate = 0.02,
                     .sweep_steps = 8}};
  plan.seed = 18446744073709551615U;
  return plan;
}

NetworkRecord network() {
  return {.topology = "16-8-10/relu",
          .loss_before = 2.3,
          .loss_after = 1.9,
          .test_accuracy = 0.4,
          .seconds = 0.01,
          .active_share = {0.5},
          .active_pairs = {512}};
}

CellRecord cell() {
  return {.cell = "pass/forward",
          .subject = "forward",
          .variant = "",
          .topology = "16-8-10/relu",
          .depth = 1,
          .width = 8,
          .quantities = {226, 8, 128, 16, 57000, 4000},
          .dense_flops = 57000,
          .status = "ok",
          .reason = "",
          .verification = {1e-6, 1e-5, "all"}};
}

RoundRecord round_zero() {
  RoundRecord record;
  record.seed = 7;
  record.environment.cpu = "some cpu";
  record.environment.caches = {{1, 32768}, {2, 1048576}};
  record.state.time = "2026-01-01T00:00:00Z";
  record.limits = {"AVX3", 1e11, {{"L1", 16384, 2e11}}};
  record.backend = "simd";
  record.binding = "none";
  return record;
}

TimingRecord timing() {
  return {.round = 0,
          .cell = "pass/forward",
          .status = "ok",
          .reason = "",
          .command = "interpscale round --folder .",
          .seconds = 2.5e-6,
          .repetitions = {2.4e-6, 2.5e-6, 2.7e-6},
          .iterations = 1000,
          .steal_share = 0.01,
          .round_trips = {62.5, 310.0}};
}

CallsRecord calls() {
  return {.cell = "pass/forward", .calls = {{"gemm/nt+bias/128x8x16/0.0.0", 1}}};
}

KernelRecord kernel() {
  return {.round = 2,
          .kernel = "gemm/nt+bias/128x8x16/0.0.0",
          .status = "ok",
          .reason = "",
          .seconds = 1e-6,
          .flops_per_second = 1e11};
}

TrainingRecord training() {
  return {.task = "teacher-d4",
          .purpose = "result",
          .topology = "4-2-1/relu",
          .width = 2,
          .parameters = 13,
          .seed = 1,
          .optimizer = "Adam",
          .learning_rate = 0.04,
          .batch = 128,
          .steps = 16,
          .flops_per_step = 9000,
          .status = "ok",
          .reason = "",
          .loss = 0.25,
          .accuracy = 0,
          .curve = {{0, 0, 0, 0, 0.6}, {16, 2048, 144000, 0.001, 0.25}}};
}

StepRecord step() {
  return {.round = 0,
          .task = "teacher-d4",
          .topology = "4-2-1/relu",
          .width = 2,
          .status = "ok",
          .reason = "",
          .seconds = 2e-6,
          .repetitions = {2e-6},
          .iterations = 500,
          .steal_share = 0};
}

void add_whole_study(const JournalFile& file) {
  file.add(study_record(tiny_plan()));
  file.add(to_json(LeftOut{"forward on 49-8-8-10/relu", "above the budget"}));
  file.add(to_json(network()));
  file.add(to_json(cell()));
  file.add(to_json(round_zero()));
  file.add(to_json(timing()));
}

/// A whole study and, behind it, what came of training to a result: lines 7 and 8.
void add_study_with_training(const JournalFile& file) {
  add_whole_study(file);
  file.add(to_json(training()));
  file.add(to_json(step()));
}

}  // namespace

TEST_CASE("records: a journal reads back as it was written", "[study][records]") {
  const JournalFile file;
  add_whole_study(file);
  const Result<StudyJournal> read = read_study_journal(file.path());
  REQUIRE(read);
  CHECK(first_difference(read->plan, tiny_plan()).empty());
  REQUIRE(read->networks.size() == 1);
  CHECK(to_json(read->networks[0]) == to_json(network()));
  REQUIRE(read->cells.size() == 1);
  CHECK(to_json(read->cells[0]) == to_json(cell()));
  REQUIRE(read->rounds.size() == 1);
  CHECK(to_json(read->rounds[0]) == to_json(round_zero()));
  REQUIRE(read->timings.size() == 1);
  CHECK(to_json(read->timings[0]) == to_json(timing()));
  REQUIRE(read->left_out.size() == 1);
  CHECK(read->left_out[0].reason == "above the budget");
}

TEST_CASE("records: a torn last line is forgiven", "[study][records]") {
  const JournalFile file;
  add_whole_study(file);
  file.add_text(R"({"kind":"timing","round":)");
  const Result<StudyJournal> read = read_study_journal(file.path());
  REQUIRE(read);
  CHECK(read->timings.size() == 1);
}

TEST_CASE("records: what stands twice is an error that names file, line and cell",
          "[study][records]") {
  const JournalFile file;
  add_whole_study(file);
  SECTION("a timing") {
    file.add(to_json(timing()));
    CHECK(file.error() == fmt::format("{}: line 7: field 'cell': a second timing of "
                                      "'pass/forward' in round 0",
                                      file.path().string()));
  }
  SECTION("a cell") {
    file.add(to_json(cell()));
    CHECK_THAT(file.error(), Catch::Matchers::Contains("line 7: field 'cell': a second cell"));
  }
  SECTION("a network") {
    file.add(to_json(network()));
    CHECK_THAT(file.error(), Catch::Matchers::Contains("line 7: field 'topology': a second"));
  }
  SECTION("the study itself") {
    file.add(study_record(tiny_plan()));
    CHECK_THAT(file.error(), Catch::Matchers::Contains("line 7: field 'kind': a second 'study'"));
  }
}

TEST_CASE("records: a timing of something unknown is an error", "[study][records]") {
  const JournalFile file;
  add_whole_study(file);
  TimingRecord stray = timing();
  SECTION("of no cell") {
    stray.cell = "pass/nothing";
    file.add(to_json(stray));
    CHECK_THAT(file.error(), Catch::Matchers::Contains("line 7: field 'cell': no cell "
                                                       "'pass/nothing'"));
  }
  SECTION("of no round") {
    stray.round = 3;
    file.add(to_json(stray));
    CHECK_THAT(file.error(), Catch::Matchers::Contains("line 7: field 'round': no round 3"));
  }
}

TEST_CASE("records: kernel calls and their times read back, and belong together",
          "[study][records]") {
  const JournalFile file;
  add_whole_study(file);
  SECTION("in order") {
    file.add(to_json(calls()));
    file.add(to_json(kernel()));
    const Result<StudyJournal> read = read_study_journal(file.path());
    REQUIRE(read);
    REQUIRE(read->calls.size() == 1);
    CHECK(to_json(read->calls[0]) == to_json(calls()));
    REQUIRE(read->kernels.size() == 1);
    CHECK(to_json(read->kernels[0]) == to_json(kernel()));
  }
  SECTION("a time of a kernel that no cell calls") {
    file.add(to_json(kernel()));
    CHECK_THAT(file.error(),
               Catch::Matchers::Contains("line 7: field 'kernel': no cell that calls"));
  }
  SECTION("a call that is none") {
    CallsRecord broken = calls();
    broken.calls[0].kernel = "gemm";
    file.add(to_json(broken));
    CHECK_THAT(file.error(),
               Catch::Matchers::Contains("line 7: field 'calls': kernel call: found"));
  }
  SECTION("twice") {
    file.add(to_json(calls()));
    file.add(to_json(kernel()));
    file.add(to_json(kernel()));
    CHECK_THAT(file.error(), Catch::Matchers::Contains("line 9: field 'kernel': a second time of"));
  }
  SECTION("a time that is none") {
    KernelRecord broken = kernel();
    broken.seconds = 0;
    file.add(to_json(calls()));
    file.add(to_json(broken));
    CHECK_THAT(file.error(), Catch::Matchers::Contains("line 8: field 'seconds': found 0"));
  }
}

TEST_CASE("records: a wrong field is named, with what was found and wanted", "[study][records]") {
  const JournalFile file;
  add_whole_study(file);
  Json broken = to_json(timing());
  broken["round"] = 1;
  file.add(to_json([] {
    RoundRecord record = round_zero();
    record.round = 1;
    return record;
  }()));
  SECTION("missing") {
    broken.erase("steal_share");
    file.add(broken);
    CHECK_THAT(file.error(), Catch::Matchers::Contains("line 8: field 'steal_share' is missing"));
  }
  SECTION("missing because the record is older than the field") {
    broken.erase("round_trips");
    file.add(broken);
    const Result<StudyJournal> read = read_study_journal(file.path());
    REQUIRE(read);
    CHECK(read->timings.front().round_trips == timing().round_trips);
    CHECK(read->timings.back().round_trips.empty());
  }
  SECTION("of another type") {
    broken["repetitions"][1] = "fast";
    file.add(broken);
    CHECK_THAT(file.error(),
               Catch::Matchers::Contains(
                   "line 8: field 'repetitions[1]': found \"fast\", wanted a number"));
  }
  SECTION("negative where it cannot be") {
    broken["iterations"] = -4;
    file.add(broken);
    CHECK_THAT(file.error(), Catch::Matchers::Contains("line 8: field 'iterations': found -4"));
  }
  SECTION("unknown") {
    broken["speed"] = 3;
    file.add(broken);
    CHECK_THAT(file.error(), Catch::Matchers::Contains("line 8: 'record' holds 11 fields"));
  }
  SECTION("a status that does not exist") {
    broken["status"] = "skipped";
    file.add(broken);
    CHECK_THAT(file.error(), Catch::Matchers::Contains("line 8: field 'status': found 'skipped'"));
  }
}

TEST_CASE("records: nested fields are named by their path", "[study][records]") {
  const JournalFile file;
  file.add(study_record(tiny_plan()));
  Json broken = to_json(round_zero());
  broken["environment"]["caches"][1]["bytes"] = "many";
  file.add(broken);
  CHECK_THAT(file.error(),
             Catch::Matchers::Contains("line 2: field 'environment.caches[1].bytes': found"));
}

TEST_CASE("records: another schema's journal is refused", "[study][records]") {
  const JournalFile file;
  Json study = study_record(tiny_plan());
  study["schema"] = kSchemaVersion + 1;
  file.add(study);
  CHECK_THAT(file.error(), Catch::Matchers::Contains("line 1: field 'schema': found 3, wanted 2"));
}

TEST_CASE("records: a journal begins with its study", "[study][records]") {
  const JournalFile file;
  SECTION("nothing at all") {
    file.add_text("");
    CHECK_THAT(file.error(), Catch::Matchers::Contains("found no record, wanted a study"));
  }
  SECTION("something else") {
    file.add(to_json(network()));
    CHECK_THAT(file.error(), Catch::Matchers::Contains("line 1: field 'kind': found 'network'"));
  }
}

TEST_CASE("records: trainings and steps read back as they were written", "[study][records]") {
  const JournalFile file;
  add_study_with_training(file);
  const Result<StudyJournal> read = read_study_journal(file.path());
  REQUIRE(read);
  CHECK(read->plan.trainings == tiny_plan().trainings);
  REQUIRE(read->trainings.size() == 1);
  CHECK(to_json(read->trainings[0]) == to_json(training()));
  REQUIRE(read->steps.size() == 1);
  CHECK(to_json(read->steps[0]) == to_json(step()));
}

TEST_CASE("records: a training that stands twice, or that the plan does not have, is an error",
          "[study][records]") {
  const JournalFile file;
  add_study_with_training(file);
  TrainingRecord run = training();
  SECTION("the same run") {
    file.add(to_json(run));
    CHECK_THAT(file.error(), Catch::Matchers::Contains(
                                 "line 9: field 'task': a second result run of 'teacher-d4'"));
  }
  SECTION("another length, seed or purpose is another run; so is a sweep's other rate") {
    run.steps = 8;
    file.add(to_json(run));
    run.seed = 0;
    file.add(to_json(run));
    run.purpose = "sweep";
    file.add(to_json(run));
    run.learning_rate = 0.08;
    file.add(to_json(run));
    CHECK(file.error().empty());
  }
  SECTION("an unknown task") {
    run.task = "teacher-d5";
    file.add(to_json(run));
    CHECK_THAT(file.error(), Catch::Matchers::Contains(
                                 "line 9: field 'task': the plan has no training 'teacher-d5'"));
  }
  SECTION("a width that the task does not have") {
    run.width = 3;
    file.add(to_json(run));
    CHECK_THAT(file.error(), Catch::Matchers::Contains("with width 3"));
  }
  SECTION("without a loss") {
    run.seed = 0;
    run.loss = 0;
    file.add(to_json(run));
    CHECK_THAT(file.error(), Catch::Matchers::Contains("field 'loss': found 0"));
    // A run that failed has none.
  }
  SECTION("a purpose that does not exist") {
    run.purpose = "fun";
    file.add(to_json(run));
    CHECK_THAT(file.error(), Catch::Matchers::Contains("field 'purpose': found 'fun'"));
  }
  SECTION("a step twice in a round, or of no round") {
    StepRecord again = step();
    SECTION("twice") {
      file.add(to_json(again));
      CHECK_THAT(file.error(), Catch::Matchers::Contains("line 9: field 'task': a second step"));
    }
    SECTION("no round") {
      again.round = 4;
      file.add(to_json(again));
      CHECK_THAT(file.error(), Catch::Matchers::Contains("line 9: field 'round': no round 4"));
    }
  }
}

namespace {

/// Checks the part of JSON Schema that the project's schema uses: type, required, properties,
/// additionalProperties (false), items, $ref into $defs, const, enum.
class SchemaCheck {
 public:
  explicit SchemaCheck(const Json& schema) : schema_(schema) {}

  void check(const Json& rule, const Json& value, const std::string& where) const {
    if (rule.contains("$ref")) {
      const std::string reference = rule.at("$ref").get<std::string>();
      const std::string prefix = "#/$defs/";
      REQUIRE(reference.starts_with(prefix));
      check(schema_.at("$defs").at(reference.substr(prefix.size())), value, where);
      return;
    }
    INFO("at " << where << ": " << value.dump());
    if (rule.contains("const")) {
      CHECK(value == rule.at("const"));
    }
    if (rule.contains("enum")) {
      const Json& allowed = rule.at("enum");
      CHECK(std::find(allowed.begin(), allowed.end(), value) != allowed.end());
    }
    if (rule.contains("type")) {
      check_type(rule.at("type").get<std::string>(), value);
    }
    if (rule.contains("items")) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        check(rule.at("items"), value[i], fmt::format("{}[{}]", where, i));
      }
    }
    if (rule.contains("properties")) {
      check_object(rule, value, where);
    }
  }

 private:
  static void check_type(const std::string& type, const Json& value) {
    if (type == "object") {
      CHECK(value.is_object());
    } else if (type == "array") {
      CHECK(value.is_array());
    } else if (type == "string") {
      CHECK(value.is_string());
    } else if (type == "boolean") {
      CHECK(value.is_boolean());
    } else if (type == "integer") {
      CHECK(value.is_number_integer());
    } else {
      CHECK(type == "number");
      CHECK(value.is_number());
    }
  }
  void check_object(const Json& rule, const Json& value, const std::string& where) const {
    CHECK(rule.at("additionalProperties") == false);
    std::set<std::string> required;
    for (const Json& name : rule.at("required")) {
      required.insert(name.get<std::string>());
    }
    std::set<std::string> described;
    for (const auto& [name, inner] : rule.at("properties").items()) {
      described.insert(name);
      if (value.contains(name)) {
        check(inner, value.at(name), where + "." + name);
      }
    }
    std::set<std::string> written;
    for (const auto& [name, inner] : value.items()) {
      written.insert(name);
    }
    CHECK(required == written);
    CHECK(described == written);
  }

  const Json& schema_;
};

}  // namespace

TEST_CASE("records: the schema in results/ describes exactly what is written", "[study][records]") {
  std::ifstream file(INTERPSCALE_SOURCE_DIR "/results/schema/record.schema.json");
  REQUIRE(file);
  const Json schema = Json::parse(file);
  const SchemaCheck check(schema);
  const Json records = {{"study", study_record(tiny_plan())},
                        {"left_out", to_json(LeftOut{"forward on a", "above the budget"})},
                        {"network", to_json(network())},
                        {"cell", to_json(cell())},
                        {"round", to_json(round_zero())},
                        {"timing", to_json(timing())},
                        {"calls", to_json(calls())},
                        {"kernel", to_json(kernel())},
                        {"training", to_json(training())},
                        {"step", to_json(step())}};
  std::set<std::string> kinds;
  for (const Json& alternative : schema.at("oneOf")) {
    const std::string reference = alternative.at("$ref").get<std::string>();
    const std::string kind = reference.substr(reference.rfind('/') + 1);
    kinds.insert(kind);
    REQUIRE(records.contains(kind));
    check.check(alternative, records.at(kind), kind);
    CHECK(schema.at("$defs").at(kind).at("properties").at("kind").at("const") == kind);
  }
  CHECK(kinds.size() == records.size());
}

}  // namespace interpscale::study
