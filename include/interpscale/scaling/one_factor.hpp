// How a time grows with one measure of size: T = b x^alpha, T = a + b x^alpha, T = b x log x.
// Variable projection on log residuals, choice by AICc, interval by bootstrap over rounds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/scaling/observation.hpp"

namespace interpscale::scaling {

enum class LawKind { kPower, kPowerWithOverhead, kLogLinear };

[[nodiscard]] std::string_view name_of(LawKind kind);

/// T(x) = overhead + coefficient x^exponent (kLogLinear: coefficient x log x, exponent reported 1).
struct CostLaw {
  LawKind kind = LawKind::kPower;
  double coefficient = 0;
  double exponent = 0;
  double overhead = 0;
  double sum_of_squares = 0;  ///< of the log residuals
  double aicc = 0;
  double weight = 0;  ///< Akaike weight among the candidates
  [[nodiscard]] double operator()(double x) const;
};

/// log T between neighbouring sizes.
struct LocalSlope {
  double from = 0;
  double to = 0;
  double slope = 0;
};

/// The best place for a step between two neighbouring sizes, as where a working set outgrows a
/// cache.
struct RegimeBreak {
  double from = 0;
  double to = 0;
  double step = 0;     ///< natural logarithm of the factor by which times beyond it are longer
  double p_value = 1;  ///< of a step as plain as this one where the law is smooth
};

/// A break is flagged below this p-value.
inline constexpr double kBreakLevel = 0.01;

struct OneFactorFit {
  CostLaw law;  ///< the chosen one
  /// The choice of law is repeated in each resample, each law as often as its Akaike weight without
  /// the correction for few points: what any law in question says lies inside.
  Interval exponent;
  std::vector<CostLaw> candidates;  ///< all, best AICc first
  std::vector<LocalSlope> local_slopes;
  std::vector<double> residuals;  ///< log T - log fit, in the order of the observations
  double theil_sen = 0;           ///< median of pairwise log-log slopes
  bool theil_sen_disagrees = false;
  double leave_largest_out_error = 0;  ///< log(measured / extrapolated) at the largest size
  RegimeBreak strongest_break;
  /// The times do not follow one smooth law: its exponent and interval mean little.
  [[nodiscard]] bool has_break() const { return strongest_break.p_value < kBreakLevel; }
};

/// The observations' times against `sizes` (same order; at least 4 distinct sizes). Fitted are the
/// medians over rounds, the factor that a round has in common over all cells divided out first.
/// A law is a candidate where AICc has the points for it (the variance counts as a number): x log x
/// from 5 cells on, the overhead from 6; 4 get the power law. An error names the cell at fault.
/// About 5 ms for 8 cells and 2,000 resamples.
[[nodiscard]] Result<OneFactorFit> fit_one_factor(std::span<const double> sizes,
                                                  std::span<const Observation> observations,
                                                  const BootstrapOptions& options);

}  // namespace interpscale::scaling
