// SPDX-License-Identifier: Apache-2.0
#include "scaling/candidate_laws.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "interpscale/core/require.hpp"
#include "scaling/information_criterion.hpp"

namespace interpscale::scaling {
namespace {

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

std::size_t numbers_of(LawKind kind) {
  switch (kind) {
    case LawKind::kPower:
      return 2;
    case LawKind::kPowerWithOverhead:
      return 3;
    case LawKind::kLogLinear:
      return 1;
  }
  require(false, "an unknown law");
  return 0;
}

std::size_t criterion_numbers_of(LawKind kind) {
  return std::max(numbers_of(kind), numbers_of(LawKind::kPower)) + 1;
}

CandidateLaws::CandidateLaws(std::span<const double> sizes) : u_(sizes.begin(), sizes.end()) {
  require(sizes.size() >= 3, "a law needs three sizes at least");
  const bool above_one = std::all_of(sizes.begin(), sizes.end(), [](double x) { return x > 1; });
  for (double& u : u_) {
    u = std::log(u);
    if (above_one) {
      log_x_log_x_.push_back(u + std::log(u));
    }
  }
  centre_ = mean(u_);
  for (double& u : u_) {
    u -= centre_;
    sum_u_squared_ += u * u;
  }
  const std::size_t points = u_.size();
  const bool can_choose = enough_points(points, criterion_numbers_of(LawKind::kPower));
  overhead_is_candidate_ = enough_points(points, criterion_numbers_of(LawKind::kPowerWithOverhead));
  log_linear_is_candidate_ = can_choose && above_one;
}

LogLaw CandidateLaws::power(std::span<const double> log_times) const {
  LogLaw law;
  law.log_coefficient = mean(log_times);
  double product = 0;
  for (std::size_t i = 0; i < u_.size(); ++i) {
    product += u_[i] * (log_times[i] - law.log_coefficient);
  }
  law.exponent = product / sum_u_squared_;
  for (std::size_t i = 0; i < u_.size(); ++i) {
    const double residual = log_times[i] - law.log_coefficient - law.exponent * u_[i];
    law.sum_of_squares += residual * residual;
  }
  set_aicc(law);
  return law;
}

LogLaw CandidateLaws::log_linear(std::span<const double> log_times) const {
  LogLaw law;
  law.kind = LawKind::kLogLinear;
  law.exponent = 1;
  law.log_coefficient = mean(log_times) - mean(log_x_log_x_);
  for (std::size_t i = 0; i < u_.size(); ++i) {
    const double residual = log_times[i] - law.log_coefficient - log_x_log_x_[i];
    law.sum_of_squares += residual * residual;
  }
  set_aicc(law);
  return law;
}

void CandidateLaws::set_aicc(LogLaw& law) const {
  law.aicc = corrected_akaike(law.sum_of_squares, u_.size(), criterion_numbers_of(law.kind));
}

LogLaw CandidateLaws::with_overhead(const OverheadPoint& found, const LogLaw& power) const {
  LogLaw law = power;
  law.kind = LawKind::kPowerWithOverhead;
  if (found.sum_of_squares < power.sum_of_squares) {
    law.log_coefficient = found.log_coefficient;
    law.exponent = found.exponent;
    law.log_ratio = found.log_ratio;
    law.sum_of_squares = found.sum_of_squares;
  }
  set_aicc(law);
  return law;
}

std::vector<LogLaw> CandidateLaws::fit(std::span<const double> log_times) const {
  require(log_times.size() == u_.size(), "one log time for each size");
  std::vector<LogLaw> laws{power(log_times)};
  if (overhead_is_candidate_) {
    laws.push_back(with_overhead(search_overhead(u_, log_times), laws.front()));
  }
  if (log_linear_is_candidate_) {
    laws.push_back(log_linear(log_times));
  }
  std::stable_sort(laws.begin(), laws.end(),
                   [](const LogLaw& a, const LogLaw& b) { return a.aicc < b.aicc; });
  return laws;
}

LogLaw CandidateLaws::refit(std::span<const double> log_times, const LogLaw& near) const {
  if (near.kind == LawKind::kLogLinear) {
    return log_linear(log_times);
  }
  const LogLaw without = power(log_times);
  if (near.kind == LawKind::kPower) {
    return without;
  }
  const OverheadPoint start = std::isfinite(near.log_ratio)
                                  ? OverheadPoint{near.log_ratio, near.exponent, 0, 0}
                                  : default_overhead_start(u_, without.exponent);
  return with_overhead(refine_overhead(u_, log_times, start), without);
}

double CandidateLaws::log_time(const LogLaw& law, double size) const {
  const double log_size = std::log(size);
  if (law.kind == LawKind::kLogLinear) {
    return law.log_coefficient + log_size + std::log(log_size);
  }
  return law.log_coefficient +
         log_overhead_plus_power(law.log_ratio, law.exponent, log_size - centre_);
}

CostLaw CandidateLaws::to_cost_law(const LogLaw& law) const {
  CostLaw cost;
  cost.kind = law.kind;
  cost.exponent = law.exponent;
  cost.sum_of_squares = law.sum_of_squares;
  cost.aicc = law.aicc;
  if (law.kind == LawKind::kLogLinear) {
    cost.coefficient = std::exp(law.log_coefficient);
  } else {
    cost.coefficient = std::exp(law.log_coefficient - law.exponent * centre_);
    cost.overhead = std::exp(law.log_coefficient + law.log_ratio);
  }
  return cost;
}

}  // namespace interpscale::scaling
