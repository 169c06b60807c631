// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/one_factor.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "interpscale/core/require.hpp"
#include "interpscale/scaling/theil_sen.hpp"
#include "scaling/bootstrap.hpp"
#include "scaling/candidate_laws.hpp"
#include "scaling/diagnostics.hpp"
#include "scaling/information_criterion.hpp"
#include "scaling/regime_break.hpp"
#include "scaling/round_table.hpp"

namespace interpscale::scaling {
namespace {

/// Exponents are read to two decimals: a smaller trend in the residuals is no disagreement.
constexpr double kNotableSlope = 0.02;

std::vector<double> fitted_log_times(const CandidateLaws& laws, const LogLaw& law,
                                     std::span<const double> sizes) {
  std::vector<double> fitted(sizes.size());
  std::transform(sizes.begin(), sizes.end(), fitted.begin(),
                 [&](double size) { return laws.log_time(law, size); });
  return fitted;
}

std::vector<double> difference(std::span<const double> a, std::span<const double> b) {
  std::vector<double> result(a.size());
  std::transform(a.begin(), a.end(), b.begin(), result.begin(), std::minus<>());
  return result;
}

std::vector<double> weights_of(std::span<const LogLaw> candidates) {
  std::vector<double> criteria;
  for (const LogLaw& law : candidates) {
    criteria.push_back(law.aicc);
  }
  return akaike_weights(criteria);
}

/// Weights without the correction for few points: with 5 to 8 sizes the correction alone rules out
/// laws that the times do not, and intervals that followed it would be sure of the simplest law.
std::vector<double> uncorrected_weights_of(std::span<const LogLaw> candidates, std::size_t points) {
  std::vector<double> criteria;
  for (const LogLaw& law : candidates) {
    criteria.push_back(akaike(law.sum_of_squares, points, criterion_numbers_of(law.kind)));
  }
  return akaike_weights(criteria);
}

/// The choice of law is repeated in each resample, by weight: a law is drawn, its fitted times get
/// new errors, it is fitted again. So the interval holds what every law in question says. (Drawing
/// new times and keeping the best law covered less and was wider: an overhead of 3 % at the
/// smallest size 91 % against 98 %, x log x with 2 % scatter 91 % at +-.086 against 98 % at
/// +-.047.)
Interval exponent_interval(const CandidateLaws& laws, std::span<const LogLaw> candidates,
                           std::span<const double> sizes, const RoundTable& table,
                           const BootstrapOptions& options) {
  const ErrorResampler resampler(table, laws.linearised(), options);
  const std::vector<double> weights = uncorrected_weights_of(candidates, sizes.size());
  const double estimate = candidates.front().exponent;
  const auto resamples = static_cast<double>(resampler.resamples());
  std::vector<double> deviations;
  deviations.reserve(resampler.resamples());
  std::vector<double> log_times(sizes.size());
  double weight_so_far = 0;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const LogLaw& drawn = candidates[c];
    const std::vector<double> fitted = fitted_log_times(laws, drawn, sizes);
    const ErrorScale scale =
        resampler.scale(difference(table.log_medians(), fitted), numbers_of(drawn.kind));
    weight_so_far += weights[c];
    const bool last = c + 1 == candidates.size();
    const std::size_t end = last ? resampler.resamples()
                                 : static_cast<std::size_t>(std::round(weight_so_far * resamples));
    while (deviations.size() < end) {
      resampler.draw(deviations.size(), scale, log_times);
      std::transform(log_times.begin(), log_times.end(), fitted.begin(), log_times.begin(),
                     std::plus<>());
      const double error = laws.refit(log_times, drawn).exponent - drawn.exponent;
      deviations.push_back(drawn.exponent - estimate + scale.stretch * error);
    }
  }
  return percentile_interval(estimate, std::move(deviations), 1);
}

}  // namespace

std::string_view name_of(LawKind kind) {
  switch (kind) {
    case LawKind::kPower:
      return "power";
    case LawKind::kPowerWithOverhead:
      return "power with overhead";
    case LawKind::kLogLinear:
      return "x log x";
  }
  require(false, "an unknown law");
  return {};
}

double CostLaw::operator()(double x) const {
  if (kind == LawKind::kLogLinear) {
    return coefficient * x * std::log(x);
  }
  return overhead + coefficient * std::pow(x, exponent);
}

Result<OneFactorFit> fit_one_factor(std::span<const double> sizes,
                                    std::span<const Observation> observations,
                                    const BootstrapOptions& options) {
  if (const Result<void> checked = check_sizes(sizes, observations); !checked) {
    return tl::unexpected(checked.error());
  }
  const Result<RoundTable> table = RoundTable::from(observations);
  if (!table) {
    return tl::unexpected(table.error());
  }
  const std::vector<double>& log_times = table->log_medians();
  const CandidateLaws laws(sizes);
  const std::vector<LogLaw> candidates = laws.fit(log_times);

  OneFactorFit fit;
  const std::vector<double> weights = weights_of(candidates);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    fit.candidates.push_back(laws.to_cost_law(candidates[c]));
    fit.candidates.back().weight = weights[c];
  }
  fit.law = fit.candidates.front();
  fit.exponent = exponent_interval(laws, candidates, sizes, *table, options);
  fit.residuals = difference(log_times, fitted_log_times(laws, candidates.front(), sizes));
  fit.local_slopes = local_slopes(sizes, log_times);

  std::vector<double> log_sizes(sizes.size());
  std::transform(sizes.begin(), sizes.end(), log_sizes.begin(),
                 [](double size) { return std::log(size); });
  fit.theil_sen = theil_sen_slope(log_sizes, log_times);
  fit.theil_sen_disagrees = std::abs(theil_sen_slope(log_sizes, fit.residuals)) >
                            std::max(fit.exponent.half_width(), kNotableSlope);
  fit.leave_largest_out_error = leave_largest_out_error(sizes, log_times);
  fit.strongest_break = strongest_break(laws, candidates, sizes, log_times, options);
  return fit;
}

}  // namespace interpscale::scaling
