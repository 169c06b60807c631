// From a plan to a full journal: networks, verification, then rounds in fresh child processes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/study/plan.hpp"
#include "interpscale/study/records.hpp"

namespace interpscale::study {

/// The journal of a study's folder.
[[nodiscard]] std::filesystem::path journal_file(const std::filesystem::path& folder);

/// Where a study stands; `fraction` in [0, 1] of the expected time.
struct Progress {
  std::string stage;  ///< "training networks", "verifying", "training to a result", "round 3 of 9"
  std::string detail;
  double fraction = 0;
  double seconds_left = 0;  ///< negative: not known yet
};

struct RunOptions {
  std::filesystem::path folder;   ///< journal.jsonl and networks/ live here
  std::filesystem::path program;  ///< the `interpscale` binary, run again for each round
  std::function<void(const Progress&)> progress;  ///< may be empty
};

struct RunSummary {
  int cells = 0;
  int timings = 0;     ///< in the journal, all rounds
  int failed = 0;      ///< timings or verifications
  int remeasured = 0;  ///< rounds added for mistrusted cells
  bool resumed = false;
};

/// Everything that can be wrong with what a study is given, before anything is written: the plan, a
/// journal that is malformed or another plan's, the data set (unless the networks are all there).
[[nodiscard]] Result<void> check_study(const Plan& plan, const std::filesystem::path& folder);

/// Carries on from what the folder's journal holds; the same plan again is a no-op when it is
/// complete. A journal of a different plan is an error that names the first difference, and nothing
/// is touched.
///
/// Networks are trained, every cell is verified, then networks are trained to a result for the
/// plan's tasks, each once a study; a run that was interrupted is made again. The pieces of the
/// experiments follow, one at a time, on networks of their own. Each round is a child
/// process. A cell whose child dies by a signal is tried once more in a new child, then recorded as
/// failed. After plan.rounds rounds, cells that measure::judge mistrusts get up to
/// plan.extra_rounds more; those replace nothing: every timing stands, and trust is judged over all
/// of a cell's rounds. Fits that need the same rounds of all cells use the first plan.rounds.
///
/// Then, where plan.kernel_rounds > 0: of every subject whose exponents deviate from theory
/// (`deviates_from_theory`), the kernel calls of each fitted cell are recorded, and each distinct
/// call is timed by itself in plan.kernel_rounds child processes: what `predict_times` adds up.
[[nodiscard]] Result<RunSummary> run_study(const Plan& plan, const RunOptions& options);

/// The child's side: times, in the order of the round's seed, the cells that have no timing yet in
/// this round; of `only_cells`, unless that is empty; then, in a whole round, the training steps of
/// the plan's tasks. Each timing is on disk before the next
/// starts.
[[nodiscard]] Result<void> run_round(const std::filesystem::path& folder, int round,
                                     const std::vector<std::string>& only_cells);

/// The child's side of a kernel round: times each recorded kernel call that has no time yet in this
/// round, in an order drawn from its seed, after measuring the FMA peak.
[[nodiscard]] Result<void> run_kernel_round(const std::filesystem::path& folder, int round);

/// Times one cell of a study again, and writes nothing.
[[nodiscard]] Result<TimingRecord> repeat_timing(const std::filesystem::path& folder, int round,
                                                 const std::string& cell);

}  // namespace interpscale::study
