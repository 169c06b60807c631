// From a journal to laws: what the report, the figures and the ledger are made of.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/experiments/spec.hpp"
#include "interpscale/measure/trust.hpp"
#include "interpscale/scaling/one_factor.hpp"
#include "interpscale/scaling/ratio.hpp"
#include "interpscale/scaling/two_factor.hpp"
#include "interpscale/study/records.hpp"
#include "interpscale/study/time_model.hpp"
#include "interpscale/study/training_result.hpp"

namespace interpscale::study {

/// A tax counts as constant when its exponent's interval lies within this of 0: a factor of 1.26
/// over two decades.
inline constexpr double kTaxConstantWithin = 0.05;

/// An exponent agrees with theory when it lies within this of it.
inline constexpr double kTheoryWithin = 0.1;

enum class CellStatus { kOk, kMistrusted, kFailed };

/// "ok", "mistrusted", "failed".
[[nodiscard]] std::string_view name_of(CellStatus status);

/// A cell with its rounds put together.
struct CellResult {
  CellRecord cell;
  CellStatus status = CellStatus::kOk;
  std::string reason;   ///< why not ok
  std::string command;  ///< repeats a failed timing; empty where none failed
  measure::Trust trust;
  std::vector<int> rounds;        ///< that gave a time, ascending
  std::vector<double> seconds;    ///< per round of `rounds`
  double median_seconds = 0;      ///< over `rounds`; 0 without any
  double share_of_peak = 0;       ///< executed FLOPs / time / FMA peak, median over rounds
  double share_of_bandwidth = 0;  ///< bytes / time / memory bandwidth, median over rounds
  bool fitted = false;            ///< enters the laws
};

/// The tax of one network: a subject's time over the training step's on the same batch.
struct TaxPoint {
  std::string topology;
  double parameters = 0;
  double ratio = 0;  ///< median over the rounds that both have
};

/// The networks that differ in width alone: the ground of laws in one measure of size.
struct Family {
  std::uint64_t inputs = 0;  ///< d
  std::size_t depth = 0;     ///< hidden layers
  std::size_t widths = 0;    ///< how many
};

/// Fewer widths do not make a family: then one-factor laws and taxes are fitted to all cells.
inline constexpr std::size_t kLeastFamily = 5;

/// The inputs and depth with the most widths among the networks of these cells (ties: fewer inputs,
/// then fewer layers); none if these are fewer than kLeastFamily.
[[nodiscard]] std::optional<Family> widest_family(const std::vector<CellRecord>& cells);

/// Everything fitted to one subject and variant. Absent fits have their reason in `notes`.
struct SubjectResult {
  std::string subject;
  std::string variant;
  std::vector<CellResult> cells;   ///< by N, then n
  std::vector<int> fitted_rounds;  ///< common to all cells that are fitted
  /// Of the study's family: width alone grows, and N and n with it.
  std::optional<scaling::OneFactorFit> against_parameters;
  std::optional<scaling::OneFactorFit> against_neurons;
  std::optional<scaling::TwoFactorFit> joint;              ///< in (N, n)
  std::optional<scaling::TwoFactorFit> joint_with_inputs;  ///< in (N, n, d), where d varies
  /// The same fits of the declared FLOPs of the same cells, as a single exact round.
  std::optional<scaling::OneFactorFit> theory_against_parameters;
  std::optional<scaling::OneFactorFit> theory_against_neurons;
  std::optional<scaling::TwoFactorFit> theory;
  std::optional<scaling::TwoFactorFit> theory_with_inputs;
  /// Where some fitted cell is mistrusted: the fits of the others.
  std::optional<scaling::OneFactorFit> against_parameters_trusted_only;
  std::optional<scaling::TwoFactorFit> joint_trusted_only;
  std::optional<scaling::RatioLaw> tax;  ///< per training step on the same batch, in the family
  std::optional<scaling::RatioLaw> theory_tax;       ///< of the declared FLOPs
  std::vector<TaxPoint> tax_points;                  ///< by N
  std::optional<experiments::PowerFigure> step_tax;  ///< `tax`, at the stated sizes
  /// Against whole trainings of the family's networks, one a flavour, for M = 1,024 samples.
  std::vector<experiments::TrainingTaxEvidence> training_taxes;
  TimeModel time_model;
  std::vector<std::string> notes;  ///< why something is missing, warnings

  /// "zero_ablation (fast)", or the subject alone where there is no variant.
  [[nodiscard]] std::string label() const;
  /// Whether a size lies outside of those whose tax was measured.
  [[nodiscard]] bool extrapolates_tax(double parameters) const;
  /// The fitted cell with the largest N; null without fitted cells.
  [[nodiscard]] const CellResult* largest() const;
};

struct StudyResult {
  StudyJournal journal;
  std::vector<SubjectResult> subjects;  ///< passes, then methods
  std::string tax_denominator = "training_step";
  double tax_reference_parameters = 1e6;
  std::optional<Family> family;
  std::vector<TaskResult> trainings;  ///< to a result, in the plan's order
  std::vector<experiments::LedgerLine> ledger;
  std::vector<std::string> notes;  ///< about the study as a whole: rounds left out, mixed builds

  /// Null where the study has no such subject.
  [[nodiscard]] const SubjectResult* find(std::string_view subject, std::string_view variant) const;
};

/// Whether an exponent in N or n is farther than kTheoryWithin from the same fit of the declared
/// FLOPs; false where either is not identified.
[[nodiscard]] bool deviates_from_theory(const SubjectResult& subject);

/// Which times enter: only rounds with the plan's backend and threads, on the CPU and SIMD target
/// of the first such round; the others are left out with a note. Which cells are fitted: those with
/// a time in at least half of the study's rounds, cut to the rounds that all of them share; where
/// these are fewer than half, the cells with the fewest rounds are left out first, with a note. A
/// journal without rounds or cells is an error.
[[nodiscard]] Result<StudyResult> analyse(StudyJournal journal,
                                          const scaling::BootstrapOptions& options);

/// Everything of the result. Numbers are finite; what is absent is null.
[[nodiscard]] nlohmann::ordered_json to_json(const StudyResult& result);

/// What the experiments judge by.
[[nodiscard]] experiments::Evidence evidence_of(const StudyResult& result);

}  // namespace interpscale::study
