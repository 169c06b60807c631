// How a loss falls with parameters and data: L(N) = E + A N^-alpha and
// L(N, D) = E + A N^-alpha + B D^-beta (Hoffmann et al., "Training compute-optimal large language
// models", 2022, approach 3; Besiroglu et al., "Chinchilla scaling: a replication attempt", 2024).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/scaling/observation.hpp"

namespace interpscale::scaling {

/// One training run's end: parameters N, samples (tokens) D, loss L; all positive and finite. A law
/// of N alone does not read `data`.
struct LossPoint {
  double parameters = 0;
  double data = 0;
  double loss = 0;
};

/// The five numbers, in the order in which they are reported. A law of N alone has B = beta = 0.
/// The same struct holds their standard errors.
struct LossLaw {
  double irreducible = 0;             ///< E
  double parameters_coefficient = 0;  ///< A
  double data_coefficient = 0;        ///< B
  double parameters_exponent = 0;     ///< alpha: the term is A N^-alpha
  double data_exponent = 0;           ///< beta
  [[nodiscard]] double operator()(double parameters, double data) const;
};

/// 95 % intervals of the numbers of a `LossLaw`.
struct LossLawIntervals {
  Interval irreducible;
  Interval parameters_coefficient;
  Interval data_coefficient;
  Interval parameters_exponent;
  Interval data_exponent;
};

struct LossFit {
  LossLaw law;
  double objective = 0;  ///< the sum over points of Huber(log L - log law)
  LossLaw standard_errors;
  LossLawIntervals intervals;
  /// a = beta / (alpha + beta): along the law's optimum N ~ C^a when C = 6 N D. 0 for a law of N.
  double optimal_exponent = 0;
  double optimal_exponent_standard_error = 0;
  Interval optimal_exponent_interval;
  std::vector<double> residuals;  ///< log L - log law, in the order of the points
};

/// `huber_delta`: residuals of log L beyond it count linearly (infinity: least squares).
struct LossFitOptions {
  double huber_delta = 1e-3;
  BootstrapOptions bootstrap{1000, BootstrapOptions{}.seed};
  int threads = 1;  ///< of the bootstrap; the same bits for any number
};

/// E, A, B, alpha, beta that minimise the *sum* of Huber(log L - log law), the law in log-sum-exp
/// form (log E, log A - alpha log N, log B - beta log D), by L-BFGS to full precision from a grid
/// of starts. Intervals: points drawn with replacement, each draw minimised to the end from the
/// fit's own minimum; percentiles. Standard errors: standard deviations over the draws. At least 8
/// points, 3 distinct N and D each, N and D not on one line in logarithms; an error says what is
/// missing. About half a second for 245 points and 1,000 draws on one thread.
[[nodiscard]] Result<LossFit> fit_loss_of_parameters_and_data(std::span<const LossPoint> points,
                                                              const LossFitOptions& options = {});

/// E, A, alpha likewise; at least 5 points and 4 distinct N. Points are few here, so intervals come
/// from residuals drawn anew, scaled for the numbers fitted and stretched by Student's t: points at
/// the same N (seeds) and the scatter of sizes around the law both enter.
[[nodiscard]] Result<LossFit> fit_loss_of_parameters(std::span<const LossPoint> points,
                                                     const LossFitOptions& options = {});

}  // namespace interpscale::scaling
