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

/// Columns of the design; those swept besides follow.
constexpr Eigen::Index kParametersColumn = 0;
constexpr Eigen::Index kNeuronsColumn = 1;

using Member = double Observation::*;

Result<void> append_predictor(Design& design, std::span<const Observation> observations,
                              std::string name, Member member) {
  Eigen::VectorXd column(static_cast<Eigen::Index>(observations.size()));
  for (std::size_t i = 0; i < observations.size(); ++i) {
    const double value = observations[i].*member;
    if (!std::isfinite(value) || value <= 0) {
      return fail("cell '{}': found {} = {}, wanted a positive finite number", observations[i].name,
                  name, value);
    }
    column(static_cast<Eigen::Index>(i)) = std::log(value);
  }
  const Eigen::Index next = design.log_columns.cols();
  design.log_columns.conservativeResize(column.size(), next + 1);
  design.log_columns.col(next) = column;
  design.predictors.push_back(std::move(name));
  return {};
}

bool varies(std::span<const Observation> observations, Member member) {
  return std::any_of(observations.begin(), observations.end(), [&](const Observation& cell) {
    return cell.*member != observations.front().*member;
  });
}

Result<Design> design_of(std::span<const Observation> observations, bool sweep_others) {
  std::vector<std::pair<std::string, Member>> predictors{{"N", &Observation::parameters},
                                                         {"n", &Observation::neurons}};
  if (sweep_others && varies(observations, &Observation::batch)) {
    predictors.emplace_back("B", &Observation::batch);
  }
  if (sweep_others && varies(observations, &Observation::inputs)) {
    predictors.emplace_back("d", &Observation::inputs);
  }
  Design design;
  for (const auto& [name, member] : predictors) {
    if (const Result<void> appended = append_predictor(design, observations, name, member);
        !appended) {
      return tl::unexpected(appended.error());
    }
  }
  return design;
}

/// The design with one of its columns left out.
Eigen::MatrixXd without(const Eigen::MatrixXd& columns, Eigen::Index left_out) {
  Eigen::MatrixXd kept(columns.rows(), columns.cols() - 1);
  kept << columns.leftCols(left_out), columns.rightCols(columns.cols() - left_out - 1);
  return kept;
}

/// Which of N, n, both; the swept others enter each of the three.
PredictorChoice choose_predictors(const Design& design, std::span<const double> log_times) {
  const std::size_t cells = log_times.size();
  std::vector<std::string> names;
  std::vector<double> criteria;
  const auto consider = [&](std::string name, const Eigen::MatrixXd& columns) {
    const auto numbers = static_cast<std::size_t>(columns.cols()) + 2;  // intercept and variance
    if (enough_points(cells, numbers)) {
      names.push_back(std::move(name));
      criteria.push_back(
          corrected_akaike(LinearFit(columns).solve(log_times).sum_of_squares(), cells, numbers));
    }
  };
  consider("N", without(design.log_columns, kNeuronsColumn));
  consider("n", without(design.log_columns, kParametersColumn));
  consider("N and n", design.log_columns);

  PredictorChoice choice;
  const std::vector<double> weights = akaike_weights(criteria);
  for (std::size_t k = 0; k < names.size(); ++k) {
    (names[k] == "N"   ? choice.weight_parameters
     : names[k] == "n" ? choice.weight_neurons
                       : choice.weight_both) = weights[k];
  }
  if (!names.empty()) {
    const auto best = std::max_element(weights.begin(), weights.end()) - weights.begin();
    choice.chosen = names[static_cast<std::size_t>(best)];
  }
  return choice;
}

std::vector<Exponent> exponents_with_intervals(const Design& design, const LinearFit& linear,
                                               const LinearSolution& solution,
                                               const std::vector<double>& vifs,
                                               const RoundTable& table,
                                               std::span<const double> news,
                                               const BootstrapOptions& options) {
  const ErrorResampler resampler(table, options);
  const std::size_t predictors = design.predictors.size();
  const LackOfFit lack = resampler.lack_of_fit(news, predictors + 1);
  std::vector<std::vector<double>> errors(predictors);
  std::vector<double> log_time_errors(table.cells());
  for (std::size_t k = 0; k < resampler.resamples(); ++k) {
    resampler.draw(k, lack, log_time_errors);
    const Eigen::VectorXd slope_errors = linear.slopes(log_time_errors);
    for (std::size_t p = 0; p < predictors; ++p) {
      errors[p].push_back(slope_errors(static_cast<Eigen::Index>(p)));
    }
  }
  const double stretch = resampler.stretch(lack);
  std::vector<Exponent> exponents;
  for (std::size_t p = 0; p < predictors; ++p) {
    const double value = solution.slopes(static_cast<Eigen::Index>(p));
    exponents.push_back({design.predictors[p], value,
                         percentile_interval(value, std::move(errors[p]), stretch), vifs[p]});
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
  std::vector<double> parameters;
  for (const Observation& cell : observations) {
    parameters.push_back(cell.parameters);
  }
  if (const Result<void> checked = check_sizes(parameters, observations); !checked) {
    return tl::unexpected(checked.error());
  }
  const Result<RoundTable> table = RoundTable::from(observations);
  if (!table) {
    return tl::unexpected(table.error());
  }
  const Result<Design> design = design_of(observations, sweep_others);
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
