// From a plan to a full journal: opening or resuming a study, then its stages.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/run.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "interpscale/measure/child.hpp"
#include "study/networks.hpp"
#include "study/networks_data.hpp"
#include "study/run_experiments.hpp"
#include "study/run_state.hpp"
#include "study/training.hpp"

namespace interpscale::study {
namespace {

namespace fs = std::filesystem;

/// A killed study's last child is gone within this time.
constexpr double kLockSeconds = 10;

Result<void> make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return fail("{}: cannot be made: {}", folder.string(), error.message());
  }
  return {};
}

/// The journal as it stands (empty but for the plan if there is none yet); an error where it is
/// another plan's.
Result<StudyJournal> journal_so_far(const Plan& plan, const fs::path& path) {
  StudyJournal fresh;
  fresh.plan = plan;
  std::error_code error;
  if (!fs::exists(path, error)) {
    return fresh;
  }
  const Result<std::vector<nlohmann::ordered_json>> lines = measure::read_journal(path);
  if (lines && lines->empty()) {
    return fresh;
  }
  Result<StudyJournal> journal = read_study_journal(path);
  if (!journal) {
    return journal;
  }
  if (const std::string difference = first_difference(journal->plan, plan); !difference.empty()) {
    return fail("{}: holds another plan's study: {}; use the same options, or another folder",
                path.string(), difference);
  }
  return journal;
}

/// Writes the plan, and what it leaves out, unless they are there.
Result<void> begin(RunState& state, bool resumed) {
  if (!resumed) {
    if (Result<void> written = state.out.append(study_record(state.journal.plan)); !written) {
      return written;
    }
  }
  std::set<std::pair<std::string, std::string>> known;
  for (const LeftOut& left_out : state.journal.left_out) {
    known.emplace(left_out.name, left_out.reason);
  }
  for (const LeftOut& left_out : state.expansion.left_out) {
    if (known.contains({left_out.name, left_out.reason})) {
      continue;
    }
    if (Result<void> written = state.out.append(to_json(left_out)); !written) {
      return written;
    }
    state.journal.left_out.push_back(left_out);
  }
  return {};
}

/// Expected seconds of what the journal already holds.
double seconds_done(const RunState& state) {
  const Plan& plan = state.journal.plan;
  double done = expected_verification_seconds() * static_cast<double>(state.journal.cells.size());
  for (const nn::Topology& topology : state.expansion.topologies) {
    const bool trained = std::any_of(
        state.journal.networks.begin(), state.journal.networks.end(),
        [&](const NetworkRecord& record) { return record.topology == topology.name(); });
    done += trained ? expected_network_seconds(topology, plan) : 0;
  }
  for (const TrainingRecord& training : state.journal.trainings) {
    for (const TrainingTask& task : plan.trainings) {
      done += task.name == training.task
                  ? expected_training_seconds(task, training.width, training.steps) /
                        kAssumedTrainingCores
                  : 0;
    }
  }
  done += experiment_seconds_done(state.journal);
  std::map<std::string, const CellRecord*> cells;
  for (const CellRecord& cell : state.journal.cells) {
    cells[cell.cell] = &cell;
  }
  for (const TimingRecord& timing : state.journal.timings) {
    done += expected_timing_seconds(*cells.at(timing.cell), plan);
  }
  return done;
}

Result<void> run_stages(RunState& state, RunSummary& summary) {
  if (Result<void> made = make_networks(state); !made) {
    return made;
  }
  if (Result<void> verified = verify_cells(state); !verified) {
    return verified;
  }
  if (Result<void> trained = make_trainings(state); !trained) {
    return trained;
  }
  if (Result<void> made = make_experiments(state); !made) {
    return made;
  }
  if (Result<void> done = make_rounds(state, summary); !done) {
    return done;
  }
  return time_kernels(state);
}

int count_failed(const StudyJournal& journal) {
  const auto failed = [](const auto& record) { return record.status == "failed"; };
  // A learning rate at which a training fails is what a sweep is there to find.
  const auto failed_result = [&](const TrainingRecord& record) {
    return record.purpose != "sweep" && failed(record);
  };
  return static_cast<int>(
      std::count_if(journal.cells.begin(), journal.cells.end(), failed) +
      std::count_if(journal.timings.begin(), journal.timings.end(), failed) +
      std::count_if(journal.steps.begin(), journal.steps.end(), failed) +
      std::count_if(journal.kernels.begin(), journal.kernels.end(), failed) +
      std::count_if(journal.experiments.begin(), journal.experiments.end(), failed) +
      std::count_if(journal.trainings.begin(), journal.trainings.end(), failed_result));
}

}  // namespace

fs::path journal_file(const fs::path& folder) {
  return folder / "journal.jsonl";
}

Result<void> check_study(const Plan& plan, const fs::path& folder) {
  const Result<Expansion> expansion = expand(plan);
  if (!expansion) {
    return tl::unexpected(expansion.error());
  }
  const Result<StudyJournal> journal = journal_so_far(plan, journal_file(folder));
  if (!journal) {
    return tl::unexpected(journal.error());
  }
  if (journal->networks.size() >= expansion->topologies.size()) {
    return {};
  }
  const Result<StudyData> data = StudyData::open(plan);
  if (!data) {
    return tl::unexpected(data.error());
  }
  for (const nn::Topology& topology : expansion->topologies) {
    if (Result<void> had = data->check_inputs(topology.inputs); !had) {
      return had;
    }
  }
  for (const TrainingTask& task : plan.trainings) {
    if (task.kind == kRegression) {
      continue;
    }
    if (Result<void> had = data->check_inputs(task.inputs); !had) {
      return had;
    }
  }
  return {};
}

Result<RunSummary> run_study(const Plan& plan, const RunOptions& options) {
  const Result<Expansion> expansion = expand(plan);
  if (!expansion) {
    return tl::unexpected(expansion.error());
  }
  if (const Result<void> made = make_folder(options.folder); !made) {
    return tl::unexpected(made.error());
  }
  const Result<measure::FolderLock> lock =
      measure::FolderLock::acquire(options.folder, kLockSeconds);
  if (!lock) {
    return tl::unexpected(lock.error());
  }
  const fs::path path = journal_file(options.folder);
  Result<StudyJournal> journal = journal_so_far(plan, path);
  if (!journal) {
    return tl::unexpected(journal.error());
  }
  Result<measure::Journal> out = measure::Journal::open(path);
  if (!out) {
    return tl::unexpected(out.error());
  }
  std::error_code error;
  RunSummary summary;
  summary.resumed = fs::file_size(path, error) > 0 && !error;
  RunState state{options, *expansion, std::move(*journal), std::move(*out)};
  state.expected_seconds = assumed_study_seconds(*expansion, plan);
  state.done_seconds = seconds_done(state);
  state.first_done_seconds = state.done_seconds;
  Result<void> done = begin(state, summary.resumed);
  if (done) {
    done = run_stages(state, summary);
  }
  if (!done) {
    return tl::unexpected(done.error());
  }
  summary.cells = static_cast<int>(state.journal.cells.size());
  summary.timings = static_cast<int>(state.journal.timings.size());
  summary.failed = count_failed(state.journal);
  return summary;
}

void RunState::report(const std::string& stage, const std::string& detail) const {
  if (!options.progress) {
    return;
  }
  constexpr double kLeastForEstimate = 0.02;
  Progress progress{stage, detail, std::min(done_seconds / expected_seconds, 1.0), -1};
  const double advanced = done_seconds - first_done_seconds;
  if (advanced > kLeastForEstimate * expected_seconds) {
    const double elapsed =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    progress.seconds_left = elapsed * std::max(expected_seconds - done_seconds, 0.0) / advanced;
  }
  options.progress(progress);
}

unsigned worker_count() {
  return std::max(1U, std::thread::hardware_concurrency());
}

double expected_network_seconds(const nn::Topology& topology, const Plan& plan) {
  const std::uint64_t step = 6 * topology.parameters() * plan.batch;
  return assumed_seconds(step * static_cast<std::uint64_t>(plan.training_steps), topology,
                         plan.batch);
}

double expected_verification_seconds() {
  return kAssumedVerificationSeconds;
}

double expected_timing_seconds(const CellRecord& cell, const Plan& plan) {
  Cell planned;
  planned.dense_flops = cell.dense_flops;
  planned.request.topology = topology_of(cell);
  return assumed_round_seconds(planned, plan);
}

}  // namespace interpscale::study
