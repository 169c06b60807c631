// Does the speed of the passes explain a method's times? Each time is predicted from the declared
// FLOPs at the speed that the forward and backward passes reach on the same network, in the same
// rounds. This is a model of whole passes, not of single products at their shapes: what it cannot
// predict, it does not explain.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace interpscale::study {

struct CellResult;
struct SubjectResult;

/// A cell counts as predicted when |predicted / measured - 1| is at most this.
inline constexpr double kTimeModelWithin = 0.15;

struct PredictedCell {
  std::string cell;
  double predicted_seconds = 0;  ///< FLOPs x seconds per FLOP of the reference passes
  double ratio = 0;              ///< predicted / measured
};

struct TimeModel {
  std::string reference;  ///< "forward + backward" or "training_step"
  std::vector<PredictedCell> cells;
  std::size_t within = 0;  ///< cells predicted within kTimeModelWithin
  /// All of at least one cell: an exponent's deviation from theory is then the machine's.
  [[nodiscard]] bool explains() const { return !cells.empty() && within == cells.size(); }
};

/// Predicts those cells of `subject` whose network has the reference passes (forward and backward
/// both, otherwise the training step), which are never predicted by themselves. Empty `cells` where
/// nothing can be predicted. Medians are over the rounds that cell and passes share.
[[nodiscard]] TimeModel predict_times(const SubjectResult& subject,
                                      const std::vector<SubjectResult>& subjects);

}  // namespace interpscale::study
