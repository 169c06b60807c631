// SPDX-License-Identifier: Apache-2.0
#include "interpscale/saved_results.hpp"

#include <unistd.h>

#include <map>
#include <string>

#include "interpscale/study/records.hpp"
#include "interpscale/study/run.hpp"

namespace interpscale::tool {
namespace {

namespace fs = std::filesystem;
using regression::Machine;
using regression::ResultSet;

Machine machine_of(const study::RoundRecord& round) {
  return {.cpu = round.environment.cpu,
          .cores = round.environment.cores,
          .simd_target = round.simd_target,
          .backend = round.backend,
          .threads = round.threads,
          .host = {}};
}

/// Times in the order of the rounds; the whole rounds of the plan, not those added for few cells.
void add_times(const study::StudyJournal& journal, ResultSet& results) {
  std::map<std::string, std::map<int, double>> times;
  for (const study::TimingRecord& timing : journal.timings) {
    if (timing.status != "ok") {
      results.failed.emplace_back(timing.cell, timing.reason);
    } else if (timing.round < journal.plan.rounds) {
      times[timing.cell][timing.round] = timing.seconds;
    }
  }
  for (const study::CellRecord& cell : journal.cells) {
    scaling::Observation observation;
    observation.name = cell.cell;
    observation.parameters = static_cast<double>(cell.quantities.parameters);
    observation.neurons = static_cast<double>(cell.quantities.neurons);
    observation.batch = static_cast<double>(cell.quantities.batch);
    observation.inputs = static_cast<double>(cell.quantities.inputs);
    for (const auto& [round, seconds] : times[cell.cell]) {
      observation.rounds.push_back(seconds);
    }
    if (cell.status != "ok") {
      results.failed.emplace_back(cell.cell, cell.reason);
    } else if (!observation.rounds.empty()) {
      results.cells.push_back(std::move(observation));
    }
  }
}

Result<ResultSet> read_study(const fs::path& path) {
  const Result<study::StudyJournal> journal = study::read_study_journal(path);
  if (!journal) {
    return tl::unexpected(journal.error());
  }
  if (journal->rounds.empty()) {
    return fail("{}: a study without a round", path.string());
  }
  const study::RoundRecord& first = journal->rounds.front();
  ResultSet results;
  results.source = path.string();
  results.revision = first.environment.revision + (first.environment.dirty ? " with changes" : "");
  results.date = first.state.time;
  results.machine = machine_of(first);
  for (const study::RoundRecord& round : journal->rounds) {
    const std::string difference = regression::difference_of(results.machine, machine_of(round));
    if (!difference.empty()) {
      return fail(
          "{}: its rounds are of different machines (round {} against the first: {}): "
          "compare studies of one machine each",
          path.string(), round.round, difference);
    }
  }
  add_times(*journal, results);
  if (results.cells.empty()) {
    return fail("{}: a study without a time", path.string());
  }
  return results;
}

}  // namespace

Result<ResultSet> read_results(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    return fail("{}: no such file or folder", path.string());
  }
  if (fs::is_directory(path, error)) {
    const fs::path journal = study::journal_file(path);
    if (!fs::exists(journal, error)) {
      return fail("{}: neither a build (no bin/interpscale_bench) nor a study (no {})",
                  path.string(), journal.filename().string());
    }
    return read_study(journal);
  }
  return path.extension() == ".jsonl" ? read_study(path) : regression::read_google_benchmark(path);
}

std::optional<fs::path> find_bench(const fs::path& path) {
  std::error_code error;
  const auto is_program = [&error](const fs::path& file) {
    return fs::is_regular_file(file, error) && access(file.c_str(), X_OK) == 0;
  };
  for (const fs::path& file :
       {path, path / "bin" / "interpscale_bench", path / "interpscale_bench"}) {
    if (is_program(file)) {
      return fs::absolute(file, error);
    }
  }
  return std::nullopt;
}

}  // namespace interpscale::tool
