// Do the kernels explain a method's times? Each time is predicted as the sum, over the kernel calls
// that one run is made of, of what each of them takes by itself: that operation at that shape, its
// operands as far from the last touch. Of a family's many sizes (tails of tiles) some are timed,
// and the others lie on the lines between them. What a cell takes beyond that (bookkeeping between
// kernels) is not in the model.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace interpscale::study {

struct StudyJournal;
struct SubjectResult;

/// A cell counts as predicted when |predicted / measured - 1| is at most this.
inline constexpr double kTimeModelWithin = 0.15;

struct PredictedCell {
  std::string cell;
  double measured_seconds = 0;   ///< median over rounds
  double predicted_seconds = 0;  ///< sum of counts x medians over kernel rounds
  double ratio = 0;              ///< predicted / measured
};

struct TimeModel {
  std::vector<PredictedCell> cells;
  std::size_t within = 0;         ///< cells predicted within kTimeModelWithin
  std::size_t not_predicted = 0;  ///< fitted cells, some of whose kernels have no time
  /// All of the fitted cells: an exponent's deviation from theory is then the machine's.
  [[nodiscard]] bool explains() const {
    return !cells.empty() && within == cells.size() && not_predicted == 0;
  }
};

/// Predicts the fitted cells of `subject` whose kernel calls the journal holds; empty where it
/// holds none of them. Kernel times are taken at the FMA peak of their own process and scaled to
/// the median peak of the study's rounds: clocks differ between the two.
[[nodiscard]] TimeModel predict_times(const SubjectResult& subject, const StudyJournal& journal);

}  // namespace interpscale::study
