// The candidate laws of one factor, fitted to log times at fixed sizes and ranked by AICc.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "interpscale/scaling/one_factor.hpp"
#include "scaling/linear_fit.hpp"
#include "scaling/overhead_search.hpp"

namespace interpscale::scaling {

/// A law in the coordinates of the search: u = log x - centre, centre = mean of log x.
/// log T = log_coefficient + log(exp(log_ratio) + exp(exponent u)), log_ratio = minus infinity
/// without overhead; kLogLinear: log_coefficient + log(x log x).
struct LogLaw {
  LawKind kind = LawKind::kPower;
  double log_coefficient = 0;
  double exponent = 0;
  double log_ratio = -std::numeric_limits<double>::infinity();
  double sum_of_squares = 0;
  double aicc = 0;
};

/// How many numbers of a law are fitted, the variance of its residuals not counted.
[[nodiscard]] std::size_t numbers_of(LawKind kind);

/// How many Akaike's criterion counts, that variance included. x log x counts as many as the power
/// law: its slope is as much a choice. It has to follow the times' curvature better, then, and does
/// not win for having a number less, which with 7 cells made it beat a power law of exponent 1.09
/// (what x log x looks like over two decades) in 88 of 100 studies with 2 % scatter.
[[nodiscard]] std::size_t criterion_numbers_of(LawKind kind);

/// Fits to log times at the same sizes, again and again. A candidate whose AICc the points do not
/// suffice for is left out; with 4 points or fewer only the power law is fitted. x log x is a
/// candidate where all sizes exceed 1.
class CandidateLaws {
 public:
  explicit CandidateLaws(std::span<const double> sizes);

  /// Every candidate, best AICc first. log_times: [sizes].
  [[nodiscard]] std::vector<LogLaw> fit(std::span<const double> log_times) const;
  /// The candidate of the same kind as `near`, a fit to similar times: an overhead is searched for
  /// near that one's.
  [[nodiscard]] LogLaw refit(std::span<const double> log_times, const LogLaw& near) const;

  /// The power law as a linear fit: the directions that any of these laws can mostly follow.
  [[nodiscard]] LinearFit linearised() const { return LinearFit(as_vector(u_)); }

  /// log T at size x.
  [[nodiscard]] double log_time(const LogLaw& law, double size) const;
  /// In the units of the sizes and times (its weight is left 0).
  [[nodiscard]] CostLaw to_cost_law(const LogLaw& law) const;

 private:
  [[nodiscard]] LogLaw power(std::span<const double> log_times) const;
  [[nodiscard]] LogLaw log_linear(std::span<const double> log_times) const;
  /// The overhead law found by a search, or the power law as its edge where that is no worse.
  [[nodiscard]] LogLaw with_overhead(const OverheadPoint& found, const LogLaw& power) const;
  void set_aicc(LogLaw& law) const;

  std::vector<double> u_;
  std::vector<double> log_x_log_x_;  // empty where a size is 1 or less
  double centre_ = 0;
  double sum_u_squared_ = 0;
  bool overhead_is_candidate_ = false;
  bool log_linear_is_candidate_ = false;
};

}  // namespace interpscale::scaling
