// Is the candidate slower than the base? Per cell, from times in rounds, with an interval that
// allows for the number of cells, against a threshold below which nobody cares.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/scaling/observation.hpp"

namespace interpscale::regression {

enum class Verdict { kRegressed, kImproved, kUnchanged, kInconclusive };

[[nodiscard]] std::string_view name_of(Verdict verdict);

/// The process's exit code: 1 regressed, 3 inconclusive, 0 unchanged or improved. (2, usage or bad
/// input, is for whoever gets an `Error`.)
[[nodiscard]] int exit_code(Verdict verdict);

/// Fewer rounds know too little of their own spread.
inline constexpr std::size_t kFewestRounds = 5;

struct CompareOptions {
  /// Round r of base and candidate ran next to each other (alternating processes), so that what
  /// slowed one slowed both. False for results saved on different occasions.
  bool paired = true;
  double threshold = 0.03;           ///< relative change of time that matters
  double unpaired_threshold = 0.10;  ///< the same where `paired` is false
};

/// Ratios are candidate / base: above 1 is slower.
struct CellComparison {
  std::string name;
  double ratio = 1;            ///< geometric mean over rounds
  scaling::Interval interval;  ///< of the ratio, at `confidence`
  double confidence = 0;       ///< 95 % raised by Holm's step for the number of cells
  double p_value = 1;          ///< two-sided, of the verdict's hypothesis, before Holm
  Verdict verdict = Verdict::kInconclusive;
};

struct Comparison {
  std::vector<CellComparison> cells;        ///< in the order of the base
  std::vector<std::string> only_base;       ///< cells that the candidate lacks
  std::vector<std::string> only_candidate;  ///< cells that the base lacks
  Verdict verdict =
      Verdict::kUnchanged;          ///< the worst: regressed, inconclusive, improved, unchanged
  double geometric_mean_ratio = 1;  ///< over cells
  double threshold = 0;             ///< the one that was used
  bool paired = true;
  std::string note;  ///< what a reader must know, if anything
};

/// Log ratios per round (paired) or Welch's difference of mean logs (unpaired), Student's t.
///
/// Each cell is tested for being beyond the threshold (regressed), beyond its inverse (improved)
/// and inside both (unchanged); Holm's step-down over all cells keeps the chance of any false
/// verdict below 5 %. The interval of a cell is the one at which Holm tested it, so that the
/// verdict can be read off it: regressed only if its near end is beyond the threshold, improved
/// likewise, unchanged if it lies inside, else inconclusive.
///
/// Errors: no common cells, a common name of different problems (N, n, B, d), a name twice in one
/// set, fewer than 5 rounds, rounds that differ within a set (or, paired, between the sets), times
/// that are not positive and finite.
[[nodiscard]] Result<Comparison> compare(std::span<const scaling::Observation> base,
                                         std::span<const scaling::Observation> candidate,
                                         const CompareOptions& options);

}  // namespace interpscale::regression
