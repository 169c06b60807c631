// From a journal to laws: what the report, the figures and the ledger are made of.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/measure/trust.hpp"
#include "interpscale/scaling/one_factor.hpp"
#include "interpscale/scaling/ratio.hpp"
#include "interpscale/scaling/two_factor.hpp"
#include "interpscale/study/records.hpp"

namespace interpscale::study {

/// A cell with its rounds put together.
struct CellResult {
  CellRecord cell;
  measure::Trust trust;
  std::vector<double> seconds;    ///< per round, in order of rounds
  double share_of_peak = 0;       ///< executed FLOPs / time / FMA peak, median over rounds
  double share_of_bandwidth = 0;  ///< bytes / time / memory bandwidth
};

/// Everything fitted to one subject and variant.
struct SubjectResult {
  std::string subject;
  std::string variant;
  std::vector<CellResult> cells;
  std::optional<scaling::OneFactorFit> against_parameters;
  std::optional<scaling::OneFactorFit> against_neurons;
  std::optional<scaling::TwoFactorFit> joint;
  std::optional<scaling::TwoFactorFit> theory;  ///< the same fit of the declared FLOPs, same cells
  std::optional<scaling::TwoFactorFit> joint_trusted_only;  ///< where some cell is mistrusted
  std::optional<scaling::RatioLaw> tax;                     ///< per training step on the same batch
  std::vector<std::string> notes;                           ///< why something is missing, warnings
};

struct StudyResult {
  StudyJournal journal;
  std::vector<SubjectResult> subjects;
  std::string tax_denominator = "training_step";
  double tax_reference_parameters = 1e6;
};

[[nodiscard]] Result<StudyResult> analyse(StudyJournal journal,
                                          const scaling::BootstrapOptions& options);
[[nodiscard]] nlohmann::ordered_json to_json(const StudyResult& result);

}  // namespace interpscale::study
