// A study without its command line: the rounds' children are scripts here, or the round is run in
// this process. (That killing either loses nothing is tests/system/kill_resume.py.)
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/run.hpp"

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/measure/journal.hpp"
#include "interpscale/nn/passes.hpp"
#include "study/networks.hpp"
#include "study/networks_data.hpp"
#include "study/round_order.hpp"
#include "support/catch.hpp"

namespace interpscale::study {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / fmt::format("study-{}", getpid())) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }

  /// An executable shell script.
  [[nodiscard]] fs::path script(const std::string& text) const {
    const fs::path path = path_ / "child.sh";
    std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }

 private:
  fs::path path_;
};

Plan tiny_plan() {
  Plan plan;
  plan.data = kSyntheticData;
  plan.widths = {8, 16};
  plan.depths = {1};
  plan.inputs = {16};
  plan.subjects = {"forward", "training_step"};
  plan.batch = 32;
  plan.rounds = 1;
  plan.extra_rounds = 0;
  plan.training_steps = 3;
  plan.min_seconds = 0.0005;
  plan.warm_up_seconds = 0;
  plan.repetitions = 1;
  return plan;
}

TimingRecord timing_of(int round, const std::string& cell, const std::string& status,
                       double seconds) {
  TimingRecord record;
  record.round = round;
  record.cell = cell;
  record.status = status;
  record.seconds = seconds;
  return record;
}

std::string text_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// Networks and verification only: the round's child says that it cannot.
void prepare(const Plan& plan, const Folder& folder) {
  const Result<RunSummary> summary =
      run_study(plan, {.folder = folder / "s",
                       .program = folder.script("echo 'interpscale: not today' >&2; exit 1"),
                       .progress = {}});
  REQUIRE_FALSE(summary);
  CHECK(summary.error().message == "not today");
}

}  // namespace

TEST_CASE("run: networks, cells and timings each stand once in the journal", "[study][run]") {
  const Folder folder;
  const Plan plan = tiny_plan();
  prepare(plan, folder);
  REQUIRE(run_round(folder / "s", 0, {}));
  const Result<RunSummary> summary =
      run_study(plan, {.folder = folder / "s", .program = "/bin/false", .progress = {}});
  REQUIRE(summary);
  CHECK(summary->cells == 4);
  CHECK(summary->timings == 4);
  CHECK(summary->failed == 0);
  CHECK(summary->resumed);
  const Result<StudyJournal> journal = read_study_journal(journal_file(folder / "s"));
  REQUIRE(journal);
  CHECK(journal->networks.size() == 2);
  CHECK(journal->rounds.size() == 1);
  for (const CellRecord& cell : journal->cells) {
    INFO(cell.cell << ": " << cell.reason);
    CHECK(cell.status == "ok");
    CHECK(cell.verification.deviation <= cell.verification.allowed);
    CHECK(cell.dense_flops >= cell.quantities.flops);
  }
}

TEST_CASE("run: a finished study is left as it is, to the byte", "[study][run]") {
  const Folder folder;
  const Plan plan = tiny_plan();
  prepare(plan, folder);
  REQUIRE(run_round(folder / "s", 0, {}));
  const std::string before = text_of(journal_file(folder / "s"));
  REQUIRE(run_study(plan, {.folder = folder / "s", .program = "/bin/false", .progress = {}}));
  CHECK(text_of(journal_file(folder / "s")) == before);
}

TEST_CASE("run: a kernel round times each recorded call once, and carries on", "[study][run]") {
  const Folder folder;
  const Plan plan = tiny_plan();
  prepare(plan, folder);
  REQUIRE(run_round(folder / "s", 0, {}));
  const fs::path path = journal_file(folder / "s");
  const std::string cell = read_study_journal(path)->cells.front().cell;
  const auto kernels_in = [&] { return read_study_journal(path)->kernels; };
  {
    measure::Journal out = measure::Journal::open(path).value();
    REQUIRE(out.append(
        to_json(CallsRecord{cell, {{"gemm/nt+bias/8x8x8/0.0.1", 3}, {"transpose/-/5x7/0.0", 1}}})));
    REQUIRE(out.append(to_json(KernelRecord{0, "transpose/-/5x7/0.0", "ok", "", 1e-6, 1e11})));
  }
  REQUIRE(run_kernel_round(folder / "s", 0));
  REQUIRE(kernels_in().size() == 2);
  CHECK(kernels_in()[1].kernel == "gemm/nt+bias/8x8x8/0.0.1");
  CHECK(kernels_in()[1].status == "ok");
  CHECK(kernels_in()[1].flops_per_second > 0);
  REQUIRE(run_kernel_round(folder / "s", 0));
  CHECK(kernels_in().size() == 2);
  REQUIRE(run_kernel_round(folder / "s", 1));
  CHECK(kernels_in().size() == 4);
}

TEST_CASE("run: another plan in the same folder is refused and nothing is touched",
          "[study][run]") {
  const Folder folder;
  prepare(tiny_plan(), folder);
  const std::string before = text_of(journal_file(folder / "s"));
  Plan other = tiny_plan();
  other.rounds = 2;
  const RunOptions options{.folder = folder / "s", .program = "/bin/false", .progress = {}};
  const Result<RunSummary> summary = run_study(other, options);
  REQUIRE_FALSE(summary);
  CHECK_THAT(summary.error().message, Contains("rounds: 1 in the first, 2 in the second"));
  const Result<void> checked = check_study(other, folder / "s");
  REQUIRE_FALSE(checked);
  CHECK(checked.error().message == summary.error().message);
  CHECK(text_of(journal_file(folder / "s")) == before);
}

TEST_CASE("run: a cell whose child dies twice is recorded as failed, with the signal",
          "[study][run]") {
  const Folder folder;
  const Plan plan = tiny_plan();
  prepare(plan, folder);
  const Result<StudyJournal> prepared = read_study_journal(journal_file(folder / "s"));
  REQUIRE(prepared);
  const std::vector<const CellRecord*> order = cells_to_time(*prepared, 0, {});
  REQUIRE(order.size() == 4);
  REQUIRE(run_round(folder / "s", 0, {order[0]->cell, order[1]->cell}));
  const Result<RunSummary> summary =
      run_study(plan, {.folder = folder / "s",
                       .program = folder.script("echo 'last words' >&2; kill -SEGV $$"),
                       .progress = {}});
  REQUIRE(summary);
  CHECK(summary->timings == 4);
  CHECK(summary->failed == 2);
  const Result<StudyJournal> journal = read_study_journal(journal_file(folder / "s"));
  REQUIRE(journal);
  for (const TimingRecord& timing : journal->timings) {
    const bool timed = timing.cell == order[0]->cell || timing.cell == order[1]->cell;
    CHECK(timing.status == (timed ? "ok" : "failed"));
    if (!timed) {
      CHECK_THAT(timing.reason, Contains(fmt::format("signal {}", SIGSEGV)) &&
                                    Contains("2 times") && Contains("last words"));
      CHECK_THAT(timing.command, Contains("--repeat " + timing.cell));
    }
  }
}

TEST_CASE("run: a child that dies before it has measured anything is an error", "[study][run]") {
  const Folder folder;
  prepare(tiny_plan(), folder);
  const Result<RunSummary> summary = run_study(
      tiny_plan(),
      {.folder = folder / "s", .program = folder.script("kill -SEGV $$"), .progress = {}});
  REQUIRE_FALSE(summary);
  CHECK_THAT(summary.error().message, Contains("round 1 of 1") && Contains("by a signal"));
}

TEST_CASE("run: a network's file that is gone is named", "[study][run]") {
  const Folder folder;
  prepare(tiny_plan(), folder);
  const fs::path network = network_file(folder / "s", "16-8-10/relu");
  REQUIRE(fs::remove(network));
  const Result<RunSummary> summary =
      run_study(tiny_plan(), {.folder = folder / "s", .program = "/bin/false", .progress = {}});
  REQUIRE_FALSE(summary);
  CHECK_THAT(summary.error().message, Contains(network.string() + ": is gone"));
}

TEST_CASE("run: a folder that cannot be made is one clear error", "[study][run]") {
  const Result<RunSummary> summary = run_study(
      tiny_plan(), {.folder = "/dev/null/study", .program = "/bin/false", .progress = {}});
  REQUIRE_FALSE(summary);
  CHECK_THAT(summary.error().message, Contains("/dev/null/study: cannot be made"));
}

TEST_CASE("run: a round's order is a permutation that differs from round to round",
          "[study][run]") {
  StudyJournal journal;
  for (int i = 0; i < 40; ++i) {
    CellRecord cell;
    cell.cell = fmt::format("cell/{:02}", i);
    cell.status = i == 7 ? "failed" : "ok";
    journal.cells.push_back(cell);
  }
  const auto names = [&](int round) {
    std::vector<std::string> result;
    for (const CellRecord* cell : cells_to_time(journal, round, {})) {
      result.push_back(cell->cell);
    }
    return result;
  };
  const std::vector<std::string> first = names(0);
  CHECK(first == names(0));
  CHECK(first != names(1));
  const std::set<std::string> distinct(first.begin(), first.end());
  CHECK(distinct.size() == 39);
  CHECK_FALSE(distinct.contains("cell/07"));
  // What is timed drops out; the others keep their order.
  journal.timings.push_back(timing_of(0, first[0], "ok", 1));
  CHECK(names(0) == std::vector<std::string>(first.begin() + 1, first.end()));
}

TEST_CASE("run: only cells that spread are measured again", "[study][run]") {
  StudyJournal journal;
  for (int round = 0; round < 5; ++round) {
    journal.timings.push_back(timing_of(round, "steady", "ok", 1 + 0.001 * round));
    journal.timings.push_back(timing_of(round, "restless", "ok", 1 + 0.3 * (round * 2 % 5)));
    journal.timings.push_back(timing_of(round, "broken", "failed", 0));
  }
  CHECK(mistrusted_cells(journal, 5) == std::vector<std::string>{"restless"});
}

TEST_CASE("networks: centred biases make every unit active on half of the examples",
          "[study][networks]") {
  const auto backend = kernels::make_backend<float>("reference");
  REQUIRE(backend);
  const Plan plan = tiny_plan();
  const Result<StudyData> data = StudyData::open(plan);
  REQUIRE(data);
  const Result<data::Split> split = data->with_inputs(16);
  REQUIRE(split);
  Workspace workspace;
  const kernels::Context<float> context(**backend, 1, workspace);
  const nn::Topology topology{.inputs = 16, .hidden = {2, 8, 3}, .outputs = kStudyClasses};
  const MatrixView<const float> sample = split->train.inputs.view().rows_from(0, 64);
  nn::Mlp<float> network = nn::initialise_he<float>(topology, 1);
  centre_biases(sample, context, network);
  nn::Tape<float> tape(topology, 64);
  nn::forward(network, sample, tape, context);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    for (std::size_t unit = 0; unit < topology.hidden[layer]; ++unit) {
      int active = 0;
      for (std::size_t i = 0; i < 64; ++i) {
        active += tape.activation(layer)(i, unit) > 0 ? 1 : 0;
      }
      INFO("layer " << layer << ", unit " << unit);
      // The median itself is at zero up to rounding: active or not. A unit whose inputs all tie at
      // zero (both units below are inactive) may have fewer.
      CHECK(active <= 32);
      if (layer == 0) {
        CHECK(active >= 31);
      }
    }
  }
}

TEST_CASE("networks: training lowers the loss, and the record says how active the units are",
          "[study][networks]") {
  const Folder folder;
  Plan plan = tiny_plan();
  plan.training_steps = 100;
  plan.batch = 128;
  fs::create_directories(folder / "networks");
  const Result<StudyData> data = StudyData::open(plan);
  REQUIRE(data);
  const Result<data::Split> split = data->with_inputs(16);
  REQUIRE(split);
  const nn::Topology topology{.inputs = 16, .hidden = {32, 32}, .outputs = kStudyClasses};
  const Result<NetworkRecord> record = train_network(topology, *split, plan, folder / "");
  REQUIRE(record);
  CHECK(record->loss_after < record->loss_before);
  REQUIRE(record->active_share.size() == 2);
  for (std::size_t layer = 0; layer < 2; ++layer) {
    CHECK(record->active_share[layer] ==
          Approx(static_cast<double>(record->active_pairs[layer]) / (128 * 32)));
    CHECK(record->active_share[layer] > 0.3);
    CHECK(record->active_share[layer] < 0.7);
  }
  CHECK(fs::exists(network_file(folder / "", record->topology)));
}

TEST_CASE("networks: a batch comes back from its file to the bit", "[study][networks]") {
  const Folder folder;
  const Result<StudyData> data = StudyData::open(tiny_plan());
  REQUIRE(data);
  const data::Batch batch = study_batch(data->with_inputs(16)->test, tiny_plan());
  const fs::path path = folder / "batch.cbor";
  REQUIRE(save_batch(batch, path));
  const Result<data::Batch> read = load_batch(path);
  REQUIRE(read);
  CHECK(read->labels == batch.labels);
  REQUIRE(read->inputs.rows() == batch.inputs.rows());
  REQUIRE(read->inputs.cols() == batch.inputs.cols());
  for (std::size_t i = 0; i < batch.inputs.rows(); ++i) {
    CHECK(std::equal(batch.inputs.row(i).begin(), batch.inputs.row(i).end(),
                     read->inputs.row(i).begin()));
  }
  SECTION("cut short, it is an error that names the file") {
    fs::resize_file(path, fs::file_size(path) / 2);
    CHECK_THAT(load_batch(path).error().message, Contains(path.string() + ": not a batch"));
  }
}

}  // namespace interpscale::study
