// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/records.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "study/records_support.hpp"
#include "support/catch.hpp"

namespace interpscale::study {

using namespace records;

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
    CHECK_THAT(file.error(), Catch::Matchers::Contains("line 8: 'record' holds 12 fields"));
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

TEST_CASE("records: an experiment's piece reads back as it was written, and stands once",
          "[study][records]") {
  const JournalFile file;
  add_whole_study(file);
  file.add(to_json(outcome()));
  const Result<StudyJournal> read = read_study_journal(file.path());
  REQUIRE(read);
  REQUIRE(read->experiments.size() == 1);
  CHECK(to_json(read->experiments[0]) == to_json(outcome()));
  CHECK(read->experiments[0].figure("loss") == 0.5);
  CHECK_FALSE(read->experiments[0].figure("gain"));
  CHECK(read->experiments[0].values("linear_leak").size() == 2);
  file.add(to_json(outcome()));
  CHECK_THAT(file.error(), Catch::Matchers::Contains("line 8: field 'piece': a second 'width 8, "
                                                     "seed 0' of the experiment 'leaks'"));
}

TEST_CASE("records: a plan without experiments is an older one, and has none", "[study][records]") {
  const JournalFile file;
  Json study = study_record(tiny_plan());
  study["plan"].erase("experiments");
  file.add(study);
  const Result<StudyJournal> read = read_study_journal(file.path());
  REQUIRE(read);
  CHECK(read->plan.experiments == "none");
}

}  // namespace interpscale::study
