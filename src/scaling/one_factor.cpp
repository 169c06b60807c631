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

/// The overhead law of a full fit, as the place where resamples start their search.
LogLaw overhead_hint(std::span<const LogLaw> candidates) {
  const auto found = std::find_if(candidates.begin(), candidates.end(), [](const LogLaw& law) {
    return law.kind == LawKind::kPowerWithOverhead;
  });
  return found == candidates.end() ? LogLaw{} : *found;
}

/// Each candidate in turn is taken for the truth, in as many resamples as its weight asks for; the
/// errors of the exponent that is then chosen include those of a wrong choice.
Interval exponent_interval(const CandidateLaws& laws, std::span<const LogLaw> candidates,
                           std::span<const double> sizes, const RoundTable& table,
                           const BootstrapOptions& options) {
  const ErrorResampler resampler(table, options);
  const std::vector<double> weights = weights_of(candidates);
  const LogLaw hint = overhead_hint(candidates);
  const auto resamples = static_cast<double>(resampler.resamples());
  std::vector<double> exponent_errors;
  exponent_errors.reserve(resampler.resamples());
  std::vector<double> log_times(sizes.size());
  double stretch = 1;
  double weight_so_far = 0;
  std::size_t next = 0;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const std::vector<double> truth = fitted_log_times(laws, candidates[c], sizes);
    const LackOfFit lack = resampler.lack_of_fit(difference(table.log_medians(), truth),
                                                 numbers_of(candidates[c].kind));
    if (c == 0) {
      stretch = resampler.stretch(lack);
    }
    weight_so_far += weights[c];
    const bool last = c + 1 == candidates.size();
    for (; next < resampler.resamples() &&
           (last || static_cast<double>(next) + 0.5 < weight_so_far * resamples);
         ++next) {
      resampler.draw(next, lack, log_times);
      std::transform(log_times.begin(), log_times.end(), truth.begin(), log_times.begin(),
                     std::plus<>());
      exponent_errors.push_back(laws.refit(log_times, hint).exponent - candidates[c].exponent);
    }
  }
  return interval_from_errors(candidates.front().exponent, std::move(exponent_errors), stretch);
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
  return fit;
}

}  // namespace interpscale::scaling
