// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/loss_law.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>

#include "interpscale/core/parallel.hpp"
#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/scaling/statistics.hpp"
#include "interpscale/scaling/student_t.hpp"
#include "scaling/loss_objective.hpp"
#include "scaling/loss_search.hpp"

namespace interpscale::scaling {
namespace {

constexpr double kUpperTail = 0.975;
constexpr double kNormalQuantile = 1.959963984540054;

using Member = double LossLaw::*;
using IntervalMember = Interval LossLawIntervals::*;
constexpr std::array<std::pair<Member, IntervalMember>, 5> kNumbers{
    {{&LossLaw::irreducible, &LossLawIntervals::irreducible},
     {&LossLaw::parameters_coefficient, &LossLawIntervals::parameters_coefficient},
     {&LossLaw::data_coefficient, &LossLawIntervals::data_coefficient},
     {&LossLaw::parameters_exponent, &LossLawIntervals::parameters_exponent},
     {&LossLaw::data_exponent, &LossLawIntervals::data_exponent}}};

Result<void> check_values(std::span<const LossPoint> points, bool with_data) {
  const auto is_positive = [](double value) { return std::isfinite(value) && value > 0; };
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& [parameters, data, loss] = points[i];
    for (const auto& [name, value] :
         {std::pair{"N", parameters}, std::pair{"D", with_data ? data : 1},
          std::pair{"loss", loss}}) {
      if (!is_positive(value)) {
        return fail("point {}: found {} = {}, wanted a positive finite number", i, name, value);
      }
    }
  }
  return {};
}

std::size_t distinct(std::span<const LossPoint> points, double LossPoint::*member) {
  std::set<double> values;
  for (const LossPoint& point : points) {
    values.insert(point.*member);
  }
  return values.size();
}

/// 1 - r^2 of log N and log D: 0 where they lie on one line.
double independence(std::span<const LossPoint> points) {
  double x = 0, y = 0, xx = 0, yy = 0, xy = 0;
  for (const LossPoint& point : points) {
    const double u = std::log(point.parameters);
    const double v = std::log(point.data);
    x += u;
    y += v;
    xx += u * u;
    yy += v * v;
    xy += u * v;
  }
  const auto m = static_cast<double>(points.size());
  const double covariance = xy - x * y / m;
  return 1 - covariance * covariance / ((xx - x * x / m) * (yy - y * y / m));
}

Result<void> check(std::span<const LossPoint> points, bool with_data) {
  const std::size_t fewest_points = with_data ? 8 : 5;
  const std::size_t fewest_sizes = with_data ? 3 : 4;
  constexpr double kOneLine = 1e-6;
  if (const Result<void> checked = check_values(points, with_data); !checked) {
    return checked;
  }
  if (points.size() < fewest_points) {
    return fail("found {} points, wanted at least {}", points.size(), fewest_points);
  }
  if (const std::size_t found = distinct(points, &LossPoint::parameters); found < fewest_sizes) {
    return fail("found {} distinct N, wanted at least {}", found, fewest_sizes);
  }
  if (!with_data) {
    return {};
  }
  if (const std::size_t found = distinct(points, &LossPoint::data); found < fewest_sizes) {
    return fail("found {} distinct D, wanted at least {}", found, fewest_sizes);
  }
  if (independence(points) < kOneLine) {
    return fail(
        "not identified: log N and log D lie on one line, so what each of them does cannot be told "
        "apart; wanted runs of one N with several D");
  }
  return {};
}

double optimal_exponent(const LossLaw& law) {
  return law.data_exponent / (law.parameters_exponent + law.data_exponent);
}

double standard_deviation(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  return std::sqrt(squares / (count - 1));
}

/// The middle 95 % of the draws, stretched away from the estimate, and the estimate itself.
Interval interval_of(double estimate, std::vector<double> draws, double stretch) {
  std::sort(draws.begin(), draws.end());
  const double low = quantile_of_sorted(draws, 1 - kUpperTail) - estimate;
  const double high = quantile_of_sorted(draws, kUpperTail) - estimate;
  return {estimate + std::min(0.0, stretch * low), estimate + std::max(0.0, stretch * high)};
}

void set_intervals(LossFit& fit, std::span<const LossLaw> draws, double stretch) {
  std::vector<double> values(draws.size());
  for (const auto& [member, interval] : kNumbers) {
    std::transform(draws.begin(), draws.end(), values.begin(), std::mem_fn(member));
    fit.standard_errors.*member = stretch * standard_deviation(values);
    fit.intervals.*interval = interval_of(fit.law.*member, values, stretch);
  }
}

/// Draws of points: how often each occurs, as weights.
std::vector<LossLaw> redraw_points(const LossObjective& objective, const LossMinimum& minimum,
                                   const LossFitOptions& options) {
  const std::size_t points = objective.points();
  const RandomStream stream(options.bootstrap.seed, 0);
  std::vector<LossLaw> draws(static_cast<std::size_t>(options.bootstrap.resamples));
  parallel_for(options.threads, draws.size(), [&](std::size_t k) {
    std::vector<double> weights(points, 0.0);
    for (std::size_t i = 0; i < points; ++i) {
      weights[stream.below(k * points + i, points)] += 1;
    }
    draws[k] = objective.to_law(
        descend_loss(objective, minimum.theta, objective.log_losses(), weights).theta);
  });
  return draws;
}

/// Draws of residuals around the law, centred, scaled for the numbers that the fit took from them.
std::vector<LossLaw> redraw_residuals(const LossObjective& objective, const LossMinimum& minimum,
                                      std::span<const double> residuals,
                                      const LossFitOptions& options) {
  const std::size_t points = objective.points();
  const std::vector<double> fitted = objective.log_law(minimum.theta);
  const std::vector<double> ones(points, 1.0);
  const double centre =
      std::accumulate(residuals.begin(), residuals.end(), 0.0) / static_cast<double>(points);
  const double scale =
      std::sqrt(static_cast<double>(points) /
                static_cast<double>(points - static_cast<std::size_t>(objective.numbers())));
  const RandomStream stream(options.bootstrap.seed, 0);
  std::vector<LossLaw> draws(static_cast<std::size_t>(options.bootstrap.resamples));
  parallel_for(options.threads, draws.size(), [&](std::size_t k) {
    std::vector<double> log_losses = fitted;
    for (std::size_t i = 0; i < points; ++i) {
      log_losses[i] += scale * (residuals[stream.below(k * points + i, points)] - centre);
    }
    draws[k] = objective.to_law(descend_loss(objective, minimum.theta, log_losses, ones).theta);
  });
  return draws;
}

Result<LossFit> fit_loss(std::span<const LossPoint> points, bool with_data,
                         const LossFitOptions& options) {
  require(options.bootstrap.resamples >= 100, "an interval needs 100 resamples at least");
  if (const Result<void> checked = check(points, with_data); !checked) {
    return tl::unexpected(checked.error());
  }
  const LossObjective objective(points, with_data, options.huber_delta);
  const LossMinimum minimum = search_loss(objective);
  LossFit fit;
  fit.law = objective.to_law(minimum.theta);
  fit.objective = minimum.value;
  const std::vector<double> fitted = objective.log_law(minimum.theta);
  fit.residuals.resize(points.size());
  std::transform(objective.log_losses().begin(), objective.log_losses().end(), fitted.begin(),
                 fit.residuals.begin(), std::minus<>());
  if (!with_data) {
    const auto degrees =
        static_cast<double>(points.size() - static_cast<std::size_t>(objective.numbers()));
    set_intervals(fit, redraw_residuals(objective, minimum, fit.residuals, options),
                  student_t_quantile(kUpperTail, degrees) / kNormalQuantile);
    return fit;
  }
  const std::vector<LossLaw> draws = redraw_points(objective, minimum, options);
  set_intervals(fit, draws, 1);
  std::vector<double> exponents(draws.size());
  std::transform(draws.begin(), draws.end(), exponents.begin(), optimal_exponent);
  fit.optimal_exponent = optimal_exponent(fit.law);
  fit.optimal_exponent_standard_error = standard_deviation(exponents);
  fit.optimal_exponent_interval = interval_of(fit.optimal_exponent, std::move(exponents), 1);
  return fit;
}

}  // namespace

double LossLaw::operator()(double parameters, double data) const {
  const double of_parameters = parameters_coefficient * std::pow(parameters, -parameters_exponent);
  const double of_data =
      data_coefficient == 0 ? 0 : data_coefficient * std::pow(data, -data_exponent);
  return irreducible + of_parameters + of_data;
}

Result<LossFit> fit_loss_of_parameters_and_data(std::span<const LossPoint> points,
                                                const LossFitOptions& options) {
  return fit_loss(points, true, options);
}

Result<LossFit> fit_loss_of_parameters(std::span<const LossPoint> points,
                                       const LossFitOptions& options) {
  return fit_loss(points, false, options);
}

}  // namespace interpscale::scaling
