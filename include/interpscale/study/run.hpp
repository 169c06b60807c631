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

/// Where a study stands; `fraction` in [0, 1] of the expected time.
struct Progress {
  std::string stage;  ///< "training networks", "verifying", "round 3 of 9"
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

/// Carries on from what the folder's journal holds; the same plan again is a no-op when it is
/// complete. A journal of a different plan is an error that names the first difference.
[[nodiscard]] Result<RunSummary> run_study(const Plan& plan, const RunOptions& options);

/// The child's side: times, in the order of the round's seed, the cells that have no timing yet in
/// this round.
[[nodiscard]] Result<void> run_round(const std::filesystem::path& folder, int round,
                                     const std::vector<std::string>& only_cells);

}  // namespace interpscale::study
