// Is the candidate slower than the base? Per cell, from times in rounds, with an interval that
// allows for the number of cells, against a threshold below which nobody cares.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
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

/// A smaller change of an exponent may be a cache's.
inline constexpr double kExponentThreshold = 0.1;

struct CompareOptions {
  /// Round r of base and candidate ran next to each other (alternating processes), so that what
  /// slowed one slowed both. False for results saved on different occasions.
  bool paired = true;
  double threshold = 0.03;           ///< relative change of time that matters
  double unpaired_threshold = 0.10;  ///< the same where `paired` is false
};

/// What is compared: seconds, or instructions executed.
enum class Metric { kTime, kInstructions };

/// "time", "instructions".
[[nodiscard]] std::string_view name_of(Metric metric);

/// Ratios are candidate / base: above 1 is slower.
struct CellComparison {
  std::string name;
  double base = 0;              ///< median over rounds, seconds or instructions
  double candidate = 0;         ///< the same
  double base_spread = 0;       ///< median absolute deviation (x 1.48) over the median
  double candidate_spread = 0;  ///< the same
  std::size_t rounds = 0;       ///< the fewer of the two sides'
  double ratio = 1;             ///< geometric mean over rounds
  scaling::Interval interval;   ///< of the ratio, at `confidence`
  double confidence = 0;        ///< 95 % raised by Holm's step for the number of cells
  double p_value = 1;           ///< two-sided, of the verdict's hypothesis, before Holm
  Verdict verdict = Verdict::kInconclusive;
  /// Where inconclusive: about how many rounds would decide it (nine times in ten, were ratio and
  /// spread what they seem). 0: as many as that would not be worth it, the ratio lies on the
  /// threshold.
  std::size_t rounds_needed = 0;
};

/// A family of cells that differ in width alone: the exponent of their times in N.
struct ExponentComparison {
  std::string family;            ///< "method/zero_ablation/fast d:784 L:2 B:128"
  std::size_t sizes = 0;         ///< distinct N
  double base = 0;               ///< slope of log time in log N
  double candidate = 0;          ///< the same
  scaling::Interval difference;  ///< candidate's minus base's, at the level of its Holm step
  scaling::Interval alone;       ///< the same at 95 %, as if it were the only one
  Verdict verdict = Verdict::kInconclusive;  ///< regressed: grows faster than it did
};

/// Baseline against itself, measured and judged as the candidate is: what it reports is false.
struct Control {
  std::size_t cells = 0;
  std::size_t false_alarms = 0;  ///< regressed or improved
  double largest = 0;            ///< the largest |ratio - 1| of a cell
};

/// What times depend on besides the code. Unknown strings are empty, unknown numbers 0.
struct Machine {
  std::string cpu;
  int cores = 0;
  std::string simd_target;
  std::string backend;
  int threads = 0;
  std::string host;  ///< tells machines apart where the CPU is not known
};

/// Why two results cannot be held against each other: "CPU: A in the base, B in the candidate".
/// What either does not know is passed over; hosts count only where CPUs are not known. Empty if
/// nothing is in the way.
[[nodiscard]] std::string difference_of(const Machine& base, const Machine& candidate);

struct Comparison {
  Metric metric = Metric::kTime;
  std::string base_label;
  std::string candidate_label;
  Machine machine;                    ///< the candidate's
  std::vector<CellComparison> cells;  ///< in the order of the base
  std::vector<ExponentComparison> exponents;
  std::optional<Control> control;  ///< the A/A arm, where there is one
  double steal_share = 0;          ///< of the machine's time while measuring
  double seconds = 0;              ///< that measuring took
  std::vector<std::pair<std::string, std::string>> failed;  ///< cell and reason: not compared
  std::vector<std::string> only_base;                       ///< cells that the candidate lacks
  std::vector<std::string> only_candidate;                  ///< cells that the base lacks
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
/// Exponents: for each family of cells of three widths or more, the slope of the log ratios in
/// log N, its standard error from the cells' own; Holm over families; beyond +-kExponentThreshold a
/// changed algorithm. A faster growth counts for the verdict, an undecided exponent does not.
[[nodiscard]] Result<Comparison> compare(std::span<const scaling::Observation> base,
                                         std::span<const scaling::Observation> candidate,
                                         const CompareOptions& options);

}  // namespace interpscale::regression
