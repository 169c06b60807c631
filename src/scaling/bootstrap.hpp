// Where intervals come from. The log medians of a fit are drawn again: whole rounds with
// replacement, all cells kept together (a slow round is slow for all of them), plus residuals for
// the scatter around the law that rounds do not explain. A plain percentile interval of that covers
// about 89 % over 9 rounds; three things bring it to 95 (tools/selftest-statistics counts):
// - A median moves by its influence function. Medians of resampled rounds vary too much, in
// variance
//   by 1.29 for 9 normal rounds and by 17 where one time in ten is slowed by 30 %.
// - Draws are studentised by the residuals: errors have, off the law, the mean square s^2 that the
//   residuals have.
// - Percentiles are stretched by t / z. The variance of a draw's exponent is s^2 times a ratio that
//   the rounds say (along the law over off the law): two factors with cells - numbers and rounds -
//   1 degrees of freedom, whose relative variances add up as far as rounds explain s^2.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/core/random.hpp"
#include "interpscale/scaling/observation.hpp"
#include "scaling/linear_fit.hpp"
#include "scaling/round_table.hpp"

namespace interpscale::scaling {

/// How errors around one law are drawn.
struct ErrorScale {
  std::vector<double> residuals;  ///< centred and scaled to what rounds do not explain
  double rounds = 1;              ///< factor of the rounds' errors
  double stretch = 1;             ///< t / z for 95 %
};

/// Errors of log medians, one set [cells] a resample: reproducible from (seed, resample).
class ErrorResampler {
 public:
  /// `law`: the (linearised) law's design, whose own directions residuals do not see.
  ErrorResampler(const RoundTable& table, const LinearFit& law, const BootstrapOptions& options);

  [[nodiscard]] std::size_t resamples() const { return counts_.rows(); }

  /// Residual mean square s^2 = SS / (cells - `numbers`); rounds explain v of it. Where v < s^2,
  /// residuals of variance s^2 - v are added; otherwise rounds' errors shrink by s / sqrt(v). A
  /// single round explains nothing.
  [[nodiscard]] ErrorScale scale(std::span<const double> residuals, std::size_t numbers) const;
  /// errors := +-(errors of this resample's rounds + residuals), the sign alternating: residuals
  /// may be skewed.
  void draw(std::size_t resample, const ErrorScale& scale, std::span<double> errors) const;

 private:
  const RoundTable& table_;
  Matrix<double> counts_;      // [resamples, rounds]: times drawn - 1
  double round_variance_ = 0;  // a cell's mean square off the law that rounds explain
  RandomStream residual_stream_;
};

/// [estimate + s q(2.5 %), estimate + s q(97.5 %)] of the deviations (resampled - fitted), s =
/// stretch; widened to hold the estimate.
[[nodiscard]] Interval percentile_interval(double estimate, std::vector<double> deviations,
                                           double stretch);

}  // namespace interpscale::scaling
