// Where intervals come from. The log medians of a fit are drawn again: whole rounds with
// replacement, all cells kept together (a slow round is slow for all of them), plus residuals for
// the scatter around the law that rounds do not explain. Errors are drawn with both signs, since a
// resampled median strays to the wrong side of a skewed handful, and percentiles are stretched by
// t / z, because 5 or 9 rounds know their own spread poorly (a plain percentile interval over 9
// rounds covers about 89 %).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/core/random.hpp"
#include "interpscale/scaling/observation.hpp"
#include "scaling/round_table.hpp"

namespace interpscale::scaling {

/// The scatter of a fit around its law: what is left of the residual variance once the rounds'
/// share is taken off.
struct LackOfFit {
  std::vector<double> draws;      ///< residuals, centred and scaled to that variance
  double variance = 0;            ///< max(0, residual variance - variance due to rounds)
  double degrees_of_freedom = 0;  ///< of the residual variance
};

/// Errors of log medians, one set [cells] a resample: reproducible from (seed, resample).
class ErrorResampler {
 public:
  ErrorResampler(const RoundTable& table, const BootstrapOptions& options);

  [[nodiscard]] std::size_t resamples() const { return round_errors_.rows(); }

  /// `numbers`: how many numbers the law fitted to `residuals` has.
  [[nodiscard]] LackOfFit lack_of_fit(std::span<const double> residuals, std::size_t numbers) const;
  /// errors := +-(round errors of this resample + residuals drawn from `lack`), the sign
  /// alternating.
  void draw(std::size_t resample, const LackOfFit& lack, std::span<double> errors) const;

  /// t / z for 95 %, the degrees of freedom of rounds and residuals joined by Satterthwaite's rule.
  [[nodiscard]] double stretch(const LackOfFit& lack) const;

 private:
  Matrix<double> round_errors_;  // [resamples, cells]
  double round_variance_ = 0;    // of a log median, the part common to all cells taken off
  std::size_t rounds_ = 0;
  RandomStream residual_stream_;
};

/// [estimate + s q(2.5 %), estimate + s q(97.5 %)] of the deviations (resampled - fitted), s =
/// stretch; widened to hold the estimate.
[[nodiscard]] Interval percentile_interval(double estimate, std::vector<double> deviations,
                                           double stretch);

}  // namespace interpscale::scaling
