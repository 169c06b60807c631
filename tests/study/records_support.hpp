// A record of every kind, and journals made of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "interpscale/study/records.hpp"

namespace interpscale::study::records {

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

inline Plan tiny_plan() {
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

inline NetworkRecord network() {
  return {.topology = "16-8-10/relu",
          .loss_before = 2.3,
          .loss_after = 1.9,
          .test_accuracy = 0.4,
          .seconds = 0.01,
          .active_share = {0.5},
          .active_pairs = {512}};
}

inline CellRecord cell() {
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

inline RoundRecord round_zero() {
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

inline TimingRecord timing() {
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

inline CallsRecord calls() {
  return {.cell = "pass/forward", .calls = {{"gemm/nt+bias/128x8x16/0.0.0", 1}}};
}

inline KernelRecord kernel() {
  return {.round = 2,
          .kernel = "gemm/nt+bias/128x8x16/0.0.0",
          .status = "ok",
          .reason = "",
          .seconds = 1e-6,
          .flops_per_second = 1e11};
}

inline TrainingRecord training() {
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

inline StepRecord step() {
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

inline experiments::Outcome outcome() {
  return {.experiment = "leaks",
          .piece = "width 8, seed 0",
          .status = "ok",
          .reason = "",
          .topology = "49-8-8-10/relu",
          .width = 8,
          .parameters = 562,
          .neurons = 16,
          .seed = 0,
          .seconds = 0.5,
          .figures = {{"loss", 0.5}},
          .series = {{"linear_leak", {0.25, 0.125}}}};
}

inline void add_whole_study(const JournalFile& file) {
  file.add(study_record(tiny_plan()));
  file.add(to_json(LeftOut{"forward on 49-8-8-10/relu", "above the budget"}));
  file.add(to_json(network()));
  file.add(to_json(cell()));
  file.add(to_json(round_zero()));
  file.add(to_json(timing()));
}

/// A whole study and, behind it, what came of training to a result: lines 7 and 8.
inline void add_study_with_training(const JournalFile& file) {
  add_whole_study(file);
  file.add(to_json(training()));
  file.add(to_json(step()));
}

}  // namespace interpscale::study::records
