// How a time grows with parameters N and neurons n at once, where the design can tell them apart:
// log T = c + alpha log N + beta log n (+ gamma log B + delta log d where they vary).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/scaling/observation.hpp"

namespace interpscale::scaling {

/// Above this variance inflation factor two exponents cannot be told apart.
inline constexpr double kLargestVif = 12;

/// What the design, not the data, can tell.
struct Identifiability {
  bool identified = false;
  std::string reason;  ///< why not; empty when identified
  std::size_t rank = 0;
  std::size_t columns = 0;
  double condition_number = 0;  ///< of the centred, scaled design
  double largest_vif = 0;       ///< infinite when rank-deficient
};

/// One predictor's exponent, e.g. {"N", 0.98, [0.95, 1.01], 4.2}.
struct Exponent {
  std::string predictor;  ///< "N", "n", "B" or "d"
  double value = 0;
  Interval interval;
  double vif = 1;
};

/// AICc of the times explained by the first factor (N) alone, by the second (n) alone, by both.
struct PredictorChoice {
  std::string chosen;  ///< "N", "n" or "N and n"; in general the factors' names
  double weight_parameters = 0;
  double weight_neurons = 0;
  double weight_both = 0;
};

struct TwoFactorFit {
  Identifiability identifiability;
  double intercept = 0;             ///< c, natural logarithm of seconds
  std::vector<Exponent> exponents;  ///< empty when not identified
  std::vector<double> residuals;    ///< log T - log fit, in the order of the observations
  double r_squared = 0;
  PredictorChoice choice;
  [[nodiscard]] std::optional<Exponent> of(std::string_view predictor) const;
};

/// A measure of size by name; one value a cell, positive and finite.
struct Factor {
  std::string name;
  std::vector<double> values;
};

/// Intervals: rounds, and the scatter of the cells around the law beyond what `expected` explains.
/// N and n always enter; B and d when they take more than one value and `sweep_others` is set.
/// A design that cannot identify the exponents is not an error: see `identifiability`.
[[nodiscard]] Result<TwoFactorFit> fit_two_factors(std::span<const Observation> observations,
                                                   bool sweep_others,
                                                   const BootstrapOptions& options);

/// The same in any two factors or more (depth, say): log T = c + sum_k exponent_k log factor_k. The
/// predictor choice is between the first two, the others in each candidate.
[[nodiscard]] Result<TwoFactorFit> fit_factors(std::span<const Factor> factors,
                                               std::span<const Observation> observations,
                                               const BootstrapOptions& options);

}  // namespace interpscale::scaling
