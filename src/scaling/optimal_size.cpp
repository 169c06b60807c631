// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/optimal_size.hpp"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/scaling/student_t.hpp"
#include "scaling/bootstrap.hpp"
#include "scaling/linear_fit.hpp"

namespace interpscale::scaling {
namespace {

constexpr std::size_t kNeighbours = 3;
constexpr std::size_t kFewestSizes = 4;
constexpr std::size_t kFewestBudgets = 3;
constexpr double kUpperTail = 0.975;
constexpr double kNormalQuantile = 1.959963984540054;

Result<void> check(std::span<const LossCurve> curves) {
  const auto is_positive = [](double value) { return std::isfinite(value) && value > 0; };
  for (std::size_t c = 0; c < curves.size(); ++c) {
    const LossCurve& curve = curves[c];
    require(curve.compute.size() == curve.losses.size(), "a loss for each compute");
    if (!is_positive(curve.parameters) || curve.compute.empty()) {
      return fail("curve {}: found N = {} and {} points, wanted a positive N and a point", c,
                  curve.parameters, curve.compute.size());
    }
    for (std::size_t i = 0; i < curve.compute.size(); ++i) {
      const bool ascends = i == 0 || curve.compute[i] > curve.compute[i - 1];
      if (!is_positive(curve.compute[i]) || !is_positive(curve.losses[i]) || !ascends) {
        return fail(
            "curve {}, point {}: found compute {} and loss {}, wanted positive finite numbers, the "
            "compute ascending",
            c, i, curve.compute[i], curve.losses[i]);
      }
    }
  }
  return {};
}

/// log loss at `compute`, a straight line in log compute between points; nothing outside of them.
std::optional<double> log_loss_at(const LossCurve& curve, double compute) {
  const auto above = std::lower_bound(curve.compute.begin(), curve.compute.end(), compute);
  if (above == curve.compute.end() || (above == curve.compute.begin() && *above > compute)) {
    return std::nullopt;
  }
  const auto i = static_cast<std::size_t>(above - curve.compute.begin());
  if (*above == compute) {
    return std::log(curve.losses[i]);
  }
  const double share =
      std::log(compute / curve.compute[i - 1]) / std::log(curve.compute[i] / curve.compute[i - 1]);
  return (1 - share) * std::log(curve.losses[i - 1]) + share * std::log(curve.losses[i]);
}

/// A parabola over u = log N - centre, prepared for many log losses at the same sizes.
struct Parabola {
  ComputeBudget budget;
  double centre = 0;
  Eigen::MatrixXd projector;  // [3, sizes]
  Eigen::VectorXd fitted;     // [sizes]
  Eigen::VectorXd residuals;

  /// The lowest place of the parabola through `log_losses`, if it opens upward: (u, log loss).
  [[nodiscard]] std::optional<std::pair<double, double>> lowest(
      const Eigen::VectorXd& log_losses) const {
    const Eigen::Vector3d numbers = projector * log_losses;
    if (!(numbers(2) > 0)) {
      return std::nullopt;
    }
    const double u = -numbers(1) / (2 * numbers(2));
    return std::pair{u, numbers(0) + numbers(1) * u / 2};
  }
};

/// The sizes around the one of least loss: up to `kNeighbours` on either side.
std::vector<std::pair<double, double>> window(const std::map<double, double>& log_losses) {
  std::vector<std::pair<double, double>> all(log_losses.begin(), log_losses.end());
  const auto least = std::min_element(
      all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto place = static_cast<std::size_t>(least - all.begin());
  const std::size_t begin = place - std::min(place, kNeighbours);
  const std::size_t end = std::min(all.size(), place + kNeighbours + 1);
  return {all.begin() + static_cast<std::ptrdiff_t>(begin),
          all.begin() + static_cast<std::ptrdiff_t>(end)};
}

void fit_parabola(Parabola& parabola, const std::vector<std::pair<double, double>>& points) {
  const auto count = static_cast<Eigen::Index>(points.size());
  for (const auto& [size, log_loss] : points) {
    parabola.centre += std::log(size) / static_cast<double>(points.size());
  }
  Eigen::MatrixXd columns(count, 3);
  Eigen::VectorXd log_losses(count);
  for (Eigen::Index i = 0; i < count; ++i) {
    const auto& [size, log_loss] = points[static_cast<std::size_t>(i)];
    const double u = std::log(size) - parabola.centre;
    columns.row(i) << 1, u, u * u;
    log_losses(i) = log_loss;
  }
  parabola.projector = columns.colPivHouseholderQr().solve(Eigen::MatrixXd::Identity(count, count));
  parabola.fitted = columns * (parabola.projector * log_losses);
  parabola.residuals = log_losses - parabola.fitted;
}

Parabola parabola_at(std::span<const LossCurve> curves, double compute) {
  std::map<double, std::vector<double>> runs;
  for (const LossCurve& curve : curves) {
    if (const std::optional<double> log_loss = log_loss_at(curve, compute)) {
      runs[curve.parameters].push_back(*log_loss);
    }
  }
  std::map<double, double> log_losses;
  for (const auto& [size, values] : runs) {
    double sum = 0;
    for (const double value : values) {
      sum += value;
    }
    log_losses[size] = sum / static_cast<double>(values.size());
  }
  Parabola parabola;
  parabola.budget.compute = compute;
  if (log_losses.size() < kFewestSizes) {
    parabola.budget.reason = fmt::format("{} sizes were trained so far, wanted at least {}",
                                         log_losses.size(), kFewestSizes);
    return parabola;
  }
  const auto points = window(log_losses);
  for (const auto& [size, log_loss] : points) {
    parabola.budget.sizes.push_back(size);
  }
  const auto least =
      std::min_element(points.begin(), points.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (points.size() < kFewestSizes || least == points.begin() || least + 1 == points.end()) {
    parabola.budget.reason = "the lowest loss is that of the smallest or the largest size";
    return parabola;
  }
  fit_parabola(parabola, points);
  const auto lowest = parabola.lowest(parabola.fitted);
  const double optimum = lowest ? std::exp(parabola.centre + lowest->first) : 0;
  if (!lowest || optimum < points.front().first || optimum > points.back().first) {
    parabola.budget.reason = "the parabola has no minimum among the sizes";
    return parabola;
  }
  parabola.budget.optimal_parameters = optimum;
  parabola.budget.loss = std::exp(lowest->second);
  return parabola;
}

/// The slopes of log N_opt in log C with the parabolas' residuals drawn anew: a size gets the
/// residuals of another at all budgets alike, since one run's luck lasts.
std::vector<double> redraw(const std::vector<Parabola>& parabolas, const LinearFit& line,
                           const std::vector<double>& sizes, const BootstrapOptions& options) {
  const RandomStream stream(options.seed, 0);
  const auto resamples = static_cast<std::size_t>(options.resamples);
  std::vector<double> slopes;
  std::vector<double> log_optima(parabolas.size());
  std::vector<std::size_t> donors(sizes.size());
  for (std::size_t k = 0; k < resamples; ++k) {
    for (std::size_t s = 0; s < sizes.size(); ++s) {
      donors[s] = stream.below(k * sizes.size() + s, sizes.size());
    }
    bool complete = true;
    for (std::size_t b = 0; b < parabolas.size() && complete; ++b) {
      const Parabola& parabola = parabolas[b];
      const std::vector<double>& own = parabola.budget.sizes;
      const auto count = static_cast<double>(own.size());
      const double scale = std::sqrt(count / (count - 3));
      Eigen::VectorXd log_losses = parabola.fitted;
      for (std::size_t i = 0; i < own.size(); ++i) {
        const auto s = static_cast<std::size_t>(
            std::lower_bound(sizes.begin(), sizes.end(), own[i]) - sizes.begin());
        const auto found = std::lower_bound(own.begin(), own.end(), sizes[donors[s]]);
        const bool has = found != own.end() && *found == sizes[donors[s]];
        const auto donor =
            has ? found - own.begin() : static_cast<std::ptrdiff_t>(donors[s] % own.size());
        log_losses(static_cast<Eigen::Index>(i)) += scale * parabola.residuals(donor);
      }
      const auto lowest = parabola.lowest(log_losses);
      complete = lowest.has_value();
      log_optima[b] = complete ? parabola.centre + lowest->first : 0;
    }
    if (complete) {
      slopes.push_back(line.slopes(log_optima)(0));
    }
  }
  return slopes;
}

/// The t interval's half width of a line's slope.
double slope_half_width(const LinearSolution& solution, std::span<const double> log_budgets) {
  const auto degrees = static_cast<double>(log_budgets.size() - 2);
  double sum = 0;
  double squares = 0;
  for (const double u : log_budgets) {
    sum += u;
    squares += u * u;
  }
  const double spread = squares - sum * sum / static_cast<double>(log_budgets.size());
  return student_t_quantile(kUpperTail, degrees) *
         std::sqrt(solution.sum_of_squares() / degrees / spread);
}

}  // namespace

Result<std::vector<FrontierPoint>> loss_frontier(std::span<const LossCurve> curves) {
  if (const Result<void> checked = check(curves); !checked) {
    return tl::unexpected(checked.error());
  }
  std::vector<FrontierPoint> points;
  for (const LossCurve& curve : curves) {
    for (std::size_t i = 0; i < curve.compute.size(); ++i) {
      points.push_back({curve.compute[i], curve.losses[i], curve.parameters});
    }
  }
  std::stable_sort(points.begin(), points.end(), [](const auto& a, const auto& b) {
    return std::pair(a.compute, a.loss) < std::pair(b.compute, b.loss);
  });
  std::vector<FrontierPoint> frontier;
  for (const FrontierPoint& point : points) {
    if (frontier.empty() || point.loss < frontier.back().loss) {
      frontier.push_back(point);
    }
  }
  return frontier;
}

Result<OptimalSize> fit_optimal_size(std::span<const LossCurve> curves,
                                     std::span<const double> budgets,
                                     const BootstrapOptions& options) {
  require(options.resamples >= 100, "an interval needs 100 resamples at least");
  if (const Result<void> checked = check(curves); !checked) {
    return tl::unexpected(checked.error());
  }
  OptimalSize result;
  std::vector<Parabola> counted;
  std::vector<double> sizes;
  for (const double budget : budgets) {
    require(std::isfinite(budget) && budget > 0, "positive budgets");
    Parabola parabola = parabola_at(curves, budget);
    result.budgets.push_back(parabola.budget);
    if (parabola.budget.reason.empty()) {
      sizes.insert(sizes.end(), parabola.budget.sizes.begin(), parabola.budget.sizes.end());
      counted.push_back(std::move(parabola));
    }
  }
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  std::vector<double> log_budgets;
  std::vector<double> log_optima;
  for (const Parabola& parabola : counted) {
    log_budgets.push_back(std::log(parabola.budget.compute));
    log_optima.push_back(std::log(parabola.budget.optimal_parameters));
  }
  if (counted.size() < kFewestBudgets) {
    return fail("found {} of {} budgets with a minimum among the sizes, wanted at least {}{}",
                counted.size(), budgets.size(), kFewestBudgets,
                result.budgets.empty() ? "" : "; the first: " + result.budgets.front().reason);
  }
  const LinearFit line(as_vector(log_budgets));
  const LinearSolution solution = line.solve(log_optima);
  result.exponent = solution.slopes(0);
  result.coefficient = std::exp(solution.intercept);

  std::vector<double> deviations = redraw(counted, line, sizes, options);
  for (double& slope : deviations) {
    slope -= result.exponent;
  }
  const double degrees = std::max(1.0, static_cast<double>(sizes.size()) - 3);
  const double least = slope_half_width(solution, log_budgets);
  result.interval = percentile_interval(result.exponent, std::move(deviations),
                                        student_t_quantile(kUpperTail, degrees) / kNormalQuantile);
  result.interval.low = std::min(result.interval.low, result.exponent - least);
  result.interval.high = std::max(result.interval.high, result.exponent + least);
  return result;
}

}  // namespace interpscale::scaling
