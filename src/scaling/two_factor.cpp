// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/two_factor.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "interpscale/core/require.hpp"
#include "scaling/bootstrap.hpp"
#include "scaling/identifiability.hpp"
#include "scaling/information_criterion.hpp"
#include "scaling/linear_fit.hpp"
#include "scaling/round_table.hpp"
#include "scaling/unexplained.hpp"

namespace interpscale::scaling {
namespace {

/// Columns of the design that the predictor choice is about; others follow.
constexpr Eigen::Index kFirstColumn = 0;
constexpr Eigen::Index kSecondColumn = 1;

using Member = double Observation::*;

bool varies(std::span<const Observation> observations, Member member) {
  return std::any_of(observations.begin(), observations.end(), [&](const Observation& cell) {
    return cell.*member != observations.front().*member;
  });
}

Factor factor_of(std::string name, std::span<const Observation> observations, Member member) {
  Factor factor{std::move(name), {}};
  for (const Observation& cell : observations) {
    factor.values.push_back(cell.*member);
  }
  return factor;
}

Result<Design> design_of(std::span<const Factor> factors,
                         std::span<const Observation> observations) {
  Design design;
  design.log_columns.resize(static_cast<Eigen::Index>(observations.size()),
                            static_cast<Eigen::Index>(factors.size()));
  for (const Factor& factor : factors) {
    require(factor.values.size() == observations.size(), "one value of a factor for each cell");
    const auto column = static_cast<Eigen::Index>(design.predictors.size());
    for (std::size_t i = 0; i < observations.size(); ++i) {
      const double value = factor.values[i];
      if (!std::isfinite(value) || value <= 0) {
        return fail("cell '{}': found {} = {}, wanted a positive finite number",
                    observations[i].name, factor.name, value);
      }
      design.log_columns(static_cast<Eigen::Index>(i), column) = std::log(value);
    }
    design.predictors.push_back(factor.name);
  }
  return design;
}

/// The design with one of its columns left out.
Eigen::MatrixXd without(const Eigen::MatrixXd& columns, Eigen::Index left_out) {
  Eigen::MatrixXd kept(columns.rows(), columns.cols() - 1);
  kept << columns.leftCols(left_out), columns.rightCols(columns.cols() - left_out - 1);
  return kept;
}

/// Which of the first, the second, both; the others enter each of the three.
PredictorChoice choose_predictors(const Design& design, std::span<const double> log_times) {
  const std::size_t cells = log_times.size();
  PredictorChoice choice;
  const std::string both = design.predictors[0] + " and " + design.predictors[1];
  std::vector<std::pair<std::string, double*>> candidates;
  std::vector<double> criteria;
  const auto consider = [&](const std::string& name, double& weight,
                            const Eigen::MatrixXd& columns) {
    const auto numbers = static_cast<std::size_t>(columns.cols()) + 2;  // intercept and variance
    if (enough_points(cells, numbers)) {
      candidates.emplace_back(name, &weight);
      criteria.push_back(
          corrected_akaike(LinearFit(columns).solve(log_times).sum_of_squares(), cells, numbers));
    }
  };
  consider(design.predictors[0], choice.weight_parameters,
           without(design.log_columns, kSecondColumn));
  consider(design.predictors[1], choice.weight_neurons, without(design.log_columns, kFirstColumn));
  consider(both, choice.weight_both, design.log_columns);

  const std::vector<double> weights = akaike_weights(criteria);
  double largest = 0;
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    const auto& [name, weight] = candidates[k];
    *weight = weights[k];
    if (weights[k] > largest) {
      largest = weights[k];
      choice.chosen = name;
    }
  }
  return choice;
}

std::vector<Exponent> exponents_with_intervals(const Design& design, const LinearFit& linear,
                                               const LinearSolution& solution,
                                               const std::vector<double>& vifs,
                                               const RoundTable& table,
                                               std::span<const double> news,
                                               const BootstrapOptions& options) {
  const ErrorResampler resampler(table, linear, options);
  const std::size_t predictors = design.predictors.size();
  const ErrorScale scale = resampler.scale(news, predictors + 1);
  std::vector<std::vector<double>> errors(predictors);
  std::vector<double> log_time_errors(table.cells());
  for (std::size_t k = 0; k < resampler.resamples(); ++k) {
    resampler.draw(k, scale, log_time_errors);
    const Eigen::VectorXd slope_errors = linear.slopes(log_time_errors);
    for (std::size_t p = 0; p < predictors; ++p) {
      errors[p].push_back(slope_errors(static_cast<Eigen::Index>(p)));
    }
  }
  std::vector<Exponent> exponents;
  for (std::size_t p = 0; p < predictors; ++p) {
    const double value = solution.slopes(static_cast<Eigen::Index>(p));
    exponents.push_back({design.predictors[p], value,
                         percentile_interval(value, std::move(errors[p]), scale.stretch), vifs[p]});
  }
  return exponents;
}

double r_squared(std::span<const double> log_times, double sum_of_squares) {
  const auto values = as_vector(log_times);
  const double total = (values.array() - values.mean()).square().sum();
  return total > 0 ? 1 - sum_of_squares / total : 1;
}

}  // namespace

std::optional<Exponent> TwoFactorFit::of(std::string_view predictor) const {
  const auto found =
      std::find_if(exponents.begin(), exponents.end(),
                   [predictor](const Exponent& each) { return each.predictor == predictor; });
  return found == exponents.end() ? std::nullopt : std::optional<Exponent>(*found);
}

Result<TwoFactorFit> fit_two_factors(std::span<const Observation> observations, bool sweep_others,
                                     const BootstrapOptions& options) {
  std::vector<Factor> factors{factor_of("N", observations, &Observation::parameters),
                              factor_of("n", observations, &Observation::neurons)};
  if (sweep_others && varies(observations, &Observation::batch)) {
    factors.push_back(factor_of("B", observations, &Observation::batch));
  }
  if (sweep_others && varies(observations, &Observation::inputs)) {
    factors.push_back(factor_of("d", observations, &Observation::inputs));
  }
  return fit_factors(factors, observations, options);
}

Result<TwoFactorFit> fit_factors(std::span<const Factor> factors,
                                 std::span<const Observation> observations,
                                 const BootstrapOptions& options) {
  require(factors.size() >= 2, "two factors or more");
  if (const Result<void> checked = check_sizes(factors[0].values, observations); !checked) {
    return tl::unexpected(checked.error());
  }
  const Result<RoundTable> table = RoundTable::from(observations);
  if (!table) {
    return tl::unexpected(table.error());
  }
  const Result<Design> design = design_of(factors, observations);
  if (!design) {
    return tl::unexpected(design.error());
  }
  const DesignDiagnosis diagnosis = diagnose(*design);
  TwoFactorFit fit;
  fit.identifiability = diagnosis.identifiability;
  if (!fit.identifiability.identified) {
    return fit;
  }
  const std::vector<double>& log_times = table->log_medians();
  const LinearFit linear(design->log_columns);
  const LinearSolution solution = linear.solve(log_times);
  fit.intercept = solution.intercept;
  fit.exponents = exponents_with_intervals(*design, linear, solution, diagnosis.vifs, *table,
                                           unexplained(linear, solution, observations), options);
  fit.residuals.assign(solution.residuals.begin(), solution.residuals.end());
  fit.r_squared = r_squared(log_times, solution.sum_of_squares());
  fit.choice = choose_predictors(*design, log_times);
  return fit;
}

}  // namespace interpscale::scaling
