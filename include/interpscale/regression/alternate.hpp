// Two builds measured in turns: what a shared machine does to one it does to the other.
//
// A round starts three fresh processes, base, candidate and base again, pinned to one core. They
// stay alive side by side, but only one runs at a time: cell by cell they are asked for slices of a
// few milliseconds in turns (A B A', A' B A, B A A', ...), each against the slices beside it. The
// rounds are what statistics resample: layout and pages are drawn anew with each process.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "interpscale/regression/compare.hpp"

namespace interpscale::regression {

/// A build's `interpscale_bench`.
struct Build {
  std::string label;
  std::filesystem::path program;
};

struct AlternateOptions {
  std::vector<std::string> arguments;  ///< to both programs, such as --batch=32
  std::string filter;          ///< of cells by name: a regular expression; with '-' before: not
  double budget_seconds = 60;  ///< no round is begun that is not expected to end within it
  double slice_seconds = 0.004;
  int blocks = 5;  ///< slices of each process, a cell and round
  std::size_t most_rounds = 200;
  double threshold = 0.03;
  std::uint64_t seed = 1;                ///< of the order of the cells
  bool allow_different_targets = false;  ///< the builds choose different SIMD targets here
  bool one_core = true;                  ///< pin; not with several threads
  std::function<void(const std::string& what, double fraction)> progress;  ///< may be empty
};

/// One measured comparison. The first round also verifies every cell of both builds; a cell that
/// fails anywhere is listed under `failed` with its reason.
///
/// Ratio of a round: candidate against the geometric mean of both base processes, the median over
/// blocks; the control's: one base process against the other, which is noisier by a factor of
/// 2 / sqrt(3). Cells that a look has decided are measured no further (see sequence.hpp): the time
/// goes to the others.
///
/// Errors: a program that does not answer, other cells or another protocol, no cell left by the
/// filter, a budget that does not reach for kFewestRounds rounds (says what would).
[[nodiscard]] Result<Comparison> compare_builds(const Build& base, const Build& candidate,
                                                const AlternateOptions& options);

}  // namespace interpscale::regression
