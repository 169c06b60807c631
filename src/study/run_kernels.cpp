// The last stage of a study: the kernels of those cells whose times the declared FLOPs do not
// explain, each timed by itself.
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "interpscale/measure/child.hpp"
#include "interpscale/study/analysis.hpp"
#include "study/kernel_round.hpp"
#include "study/networks.hpp"
#include "study/run_state.hpp"
#include "study/subjects/recorded_calls.hpp"

namespace interpscale::study {
namespace {

/// Point estimates decide what is recorded: their intervals are of no interest here.
constexpr scaling::BootstrapOptions kFewestResamples{.resamples = 100};

Result<void> record_cell(RunState& state, const CellRecord& cell,
                         const std::shared_ptr<Specimens>& specimens) {
  const nn::Topology topology = topology_of(cell);
  const auto calls = record_calls({cell.subject, cell.variant, topology, state.journal.plan.batch,
                                   specimens->active_pairs(cell.topology)},
                                  setting_of(state.journal.plan),
                                  [specimens, topology] { return specimens->of(topology); });
  if (!calls) {
    return tl::unexpected(calls.error());
  }
  CallsRecord record;
  record.cell = cell.cell;
  for (const auto& [call, count] : *calls) {
    record.calls.push_back({kernels::name_of(call), count});
  }
  if (Result<void> written = state.out.append(to_json(record)); !written) {
    return written;
  }
  state.journal.calls.push_back(std::move(record));
  return {};
}

Result<void> record_deviating_cells(RunState& state) {
  const Result<StudyResult> result = analyse(state.journal, kFewestResamples);
  if (!result) {
    return tl::unexpected(result.error());
  }
  std::set<std::string> known;
  for (const CallsRecord& record : state.journal.calls) {
    known.insert(record.cell);
  }
  const auto specimens = std::make_shared<Specimens>(state.options.folder, state.journal.networks);
  for (const SubjectResult& subject : result->subjects) {
    if (!deviates_from_theory(subject)) {
      continue;
    }
    for (const CellResult& cell : subject.cells) {
      if (!cell.fitted || known.contains(cell.cell.cell)) {
        continue;
      }
      state.report("recording kernel calls", cell.cell.cell);
      if (Result<void> recorded = record_cell(state, cell.cell, specimens); !recorded) {
        return recorded;
      }
    }
  }
  return {};
}

/// A kernel whose child ends this often before it has a time is recorded as failed.
constexpr int kMostCrashes = 2;

/// What such a child was timing has failed; the round goes on behind it.
Result<void> give_up(RunState& state, int round, const std::string& kernel,
                     const measure::ChildExit& child) {
  KernelRecord record;
  record.round = round;
  record.kernel = kernel;
  record.status = "failed";
  record.reason = child.exited ? "the child exited without a time and without an error"
                               : fmt::format("killed by signal {}", child.signal);
  if (Result<void> written = state.out.append(to_json(record)); !written) {
    return written;
  }
  state.journal.kernels.push_back(std::move(record));
  return {};
}

Result<void> run_round_of_kernels(RunState& state, int round) {
  const std::string folder = state.options.folder.string();
  const std::string stage =
      fmt::format("kernel round {} of {}", round + 1, state.journal.plan.kernel_rounds);
  int crashes = 0;
  for (;;) {
    const std::vector<std::string> before = kernels_to_time(state.journal, round);
    if (before.empty()) {
      return {};
    }
    state.report(stage, fmt::format("{} kernels", before.size()));
    const Result<measure::ChildExit> child =
        measure::run_child({state.options.program.string(), "round", "--folder", folder, "--round",
                            std::to_string(round), "--kernels"},
                           [] {});
    if (!child) {
      return tl::unexpected(child.error());
    }
    Result<StudyJournal> journal = read_study_journal(journal_file(state.options.folder));
    if (!journal) {
      return tl::unexpected(journal.error());
    }
    state.journal = std::move(*journal);
    if (child->exited && child->status != 0) {
      return fail("{}: {}", stage,
                  child->last_error.empty()
                      ? fmt::format("the child exited with status {}", child->status)
                      : child->last_error);
    }
    const std::vector<std::string> left = kernels_to_time(state.journal, round);
    crashes = left.size() == before.size() ? crashes + 1 : 0;
    if (crashes == kMostCrashes) {
      if (Result<void> given_up = give_up(state, round, left.front(), *child); !given_up) {
        return given_up;
      }
      crashes = 0;
    }
  }
}

}  // namespace

Result<void> time_kernels(RunState& state) {
  const Plan& plan = state.journal.plan;
  if (plan.kernel_rounds == 0) {
    return {};
  }
  if (Result<void> recorded = record_deviating_cells(state); !recorded) {
    return recorded;
  }
  const int rounds = plan.kernel_rounds;  // the journal, and its plan, is read again on the way
  for (int round = 0; round < rounds; ++round) {
    if (Result<void> done = run_round_of_kernels(state, round); !done) {
      return done;
    }
  }
  return {};
}

}  // namespace interpscale::study
