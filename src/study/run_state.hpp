// What the stages of a study share: its folder, its journal as it stands, and the way ahead.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "interpscale/core/result.hpp"
#include "interpscale/measure/journal.hpp"
#include "interpscale/study/run.hpp"

namespace interpscale::study {

/// A study under way. `journal` is what the file at `journal_file(options.folder)` holds.
struct RunState {
  const RunOptions& options;
  const Expansion& expansion;
  StudyJournal journal;
  measure::Journal out;
  double expected_seconds = 0;  ///< of the whole study
  double done_seconds = 0;      ///< of those, the share that stands in the journal
  double first_done_seconds = 0;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();

  /// Tells the caller where the study stands.
  void report(const std::string& stage, const std::string& detail) const;
};

/// Threads that training and verification are spread over.
[[nodiscard]] unsigned worker_count();

/// Trains the networks, and writes the batches, that are not there yet.
[[nodiscard]] Result<void> make_networks(RunState& state);
/// Makes the runs of the plan's training tasks that have no record yet.
[[nodiscard]] Result<void> make_trainings(RunState& state);
/// Does the pieces of the experiments that have no record yet, one after the other.
[[nodiscard]] Result<void> make_experiments(RunState& state);
/// Verifies the cells that have no record yet.
[[nodiscard]] Result<void> verify_cells(RunState& state);
/// Runs rounds in child processes until every cell has a timing in each.
[[nodiscard]] Result<void> make_rounds(RunState& state, RunSummary& summary);

/// Records and times the kernels of cells that theory does not explain.
[[nodiscard]] Result<void> time_kernels(RunState& state);

/// What the stages are expected to take.
[[nodiscard]] double expected_network_seconds(const nn::Topology& topology, const Plan& plan);
[[nodiscard]] double expected_verification_seconds();
/// Of one cell's timing, from the declared FLOPs of its record.
[[nodiscard]] double expected_timing_seconds(const CellRecord& cell, const Plan& plan);

}  // namespace interpscale::study
