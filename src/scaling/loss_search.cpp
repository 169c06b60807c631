// SPDX-License-Identifier: Apache-2.0
#include "scaling/loss_search.hpp"

#include <nlopt.h>

#include <Eigen/QR>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "interpscale/core/require.hpp"

namespace interpscale::scaling {
namespace {

/// theta = origin + axes z; z = 0 at the start, where the objective's curvature is about 1 along
/// every z.
struct Whitened {
  const LossObjective& objective;
  std::span<const double> log_losses;
  std::span<const double> weights;
  LossParameters origin;
  Eigen::MatrixXd axes;
  LossMinimum best;
  LossParameters gradient;
};

/// NLopt's view of it. The best place is kept here: what NLopt returns where a line search fails is
/// the last place, not the best.
double evaluate(unsigned numbers, const double* z, double* gradient, void* data) {
  Whitened& problem = *static_cast<Whitened*>(data);
  const auto count = static_cast<Eigen::Index>(numbers);
  const LossParameters theta =
      problem.origin + problem.axes * Eigen::Map<const Eigen::VectorXd>(z, count);
  const double value = problem.objective.value(theta, problem.log_losses, problem.weights,
                                               gradient != nullptr ? &problem.gradient : nullptr);
  if (gradient != nullptr) {
    Eigen::Map<Eigen::VectorXd>(gradient, count) = problem.axes.transpose() * problem.gradient;
  }
  if (value < problem.best.value) {
    problem.best = {theta, value};
  }
  return value;
}

/// Axes W with W^T J^T J W = I, directions that the points hardly tell apart held to a moderate
/// length. `triangle`: R of J = Q R, which has J's singular values and right vectors.
Eigen::MatrixXd whitening_axes(const Eigen::MatrixXd& triangle) {
  constexpr double kLeastShare = 1e-8;
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(triangle, Eigen::ComputeFullV);
  const Eigen::VectorXd& values = svd.singularValues();
  const double least =
      std::max(values.maxCoeff() * kLeastShare, std::numeric_limits<double>::min());
  return svd.matrixV() * values.cwiseMax(least).cwiseInverse().asDiagonal();
}

/// R [numbers, numbers] of the linearised problem's QR decomposition, right-hand side appended.
Eigen::MatrixXd triangle_of(const LossObjective& objective, const LossParameters& theta,
                            std::span<const double> log_losses, std::span<const double> weights) {
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(objective.linearised(theta, log_losses, weights));
  const Eigen::Index numbers = objective.numbers();
  return qr.matrixQR().topRows(numbers).triangularView<Eigen::Upper>();
}

void run_lbfgs(Whitened& problem) {
  constexpr int kMostEvaluations = 2000;
  const auto numbers = static_cast<unsigned>(problem.origin.size());
  const std::unique_ptr<nlopt_opt_s, decltype(&nlopt_destroy)> optimizer(
      nlopt_create(NLOPT_LD_LBFGS, numbers), &nlopt_destroy);
  require(optimizer != nullptr, "NLopt has L-BFGS");
  nlopt_set_min_objective(optimizer.get(), evaluate, &problem);
  nlopt_set_ftol_rel(optimizer.get(), 1e-16);
  nlopt_set_maxeval(optimizer.get(), kMostEvaluations);
  std::vector<double> z(numbers, 0.0);
  double value = 0;
  // Any end is a place to start again from: the caller stops when nothing is gained.
  static_cast<void>(nlopt_optimize(optimizer.get(), z.data(), &value));
}

/// Newton's steps on the linearised problem, for as long as they gain: where residuals vanish
/// (exact laws) they reach the last digits that L-BFGS, which sees the objective alone, cannot.
LossMinimum polish(const LossObjective& objective, LossMinimum minimum,
                   std::span<const double> weights) {
  constexpr int kMostSteps = 50;
  const Eigen::Index numbers = objective.numbers();
  for (int step = 0; step < kMostSteps; ++step) {
    const Eigen::MatrixXd triangle =
        triangle_of(objective, minimum.theta, objective.log_losses(), weights);
    const LossParameters theta =
        minimum.theta +
        triangle.leftCols(numbers).colPivHouseholderQr().solve(triangle.col(numbers));
    const double value = objective.value(theta, objective.log_losses(), weights, nullptr);
    if (!(value < minimum.value)) {
      break;
    }
    minimum = {theta, value};
  }
  return minimum;
}

/// The shares E, A, B >= 0 of least squares of (sum of columns - loss) / loss, `columns` already
/// divided by the losses: the best of all subsets that need no negative share (they are 3 or 7).
Eigen::VectorXd non_negative_shares(const Eigen::MatrixXd& columns) {
  const Eigen::VectorXd ones = Eigen::VectorXd::Ones(columns.rows());
  const auto count = static_cast<unsigned>(columns.cols());
  Eigen::VectorXd best = Eigen::VectorXd::Zero(columns.cols());
  double least = std::numeric_limits<double>::infinity();
  for (unsigned subset = 1; subset < 1U << count; ++subset) {
    std::vector<Eigen::Index> members;
    for (unsigned j = 0; j < count; ++j) {
      if ((subset >> j & 1U) != 0) {
        members.push_back(j);
      }
    }
    const Eigen::MatrixXd chosen = columns(Eigen::all, members);
    const Eigen::VectorXd shares = chosen.colPivHouseholderQr().solve(ones);
    const double squares = (chosen * shares - ones).squaredNorm();
    if (shares.minCoeff() >= 0 && squares < least) {
      least = squares;
      best.setZero();
      best(members) = shares;
    }
  }
  return best;
}

/// The start with these exponents. A term that least squares leaves out starts small, not absent:
/// an absent one has no gradient.
LossParameters start_with(const LossObjective& objective, std::span<const double> exponents) {
  constexpr double kSmall = 1e-3;
  const auto points = static_cast<Eigen::Index>(objective.points());
  const auto terms = static_cast<Eigen::Index>(exponents.size());
  Eigen::MatrixXd columns(points, terms + 1);
  for (Eigen::Index i = 0; i < points; ++i) {
    const auto point = static_cast<std::size_t>(i);
    const double log_loss = objective.log_losses()[point];
    columns(i, 0) = std::exp(-log_loss);
    for (Eigen::Index k = 0; k < terms; ++k) {
      columns(i, k + 1) = std::exp(
          -exponents[static_cast<std::size_t>(k)] * objective.centred(k, point) - log_loss);
    }
  }
  const Eigen::VectorXd shares = non_negative_shares(columns);
  const Eigen::VectorXd floors = kSmall * columns.colwise().maxCoeff().cwiseInverse().transpose();
  const Eigen::VectorXd logs = shares.cwiseMax(floors).array().log();
  LossParameters theta(objective.numbers());
  theta(0) = logs(0);
  for (Eigen::Index k = 0; k < terms; ++k) {
    theta(1 + 2 * k) = logs(k + 1);
    theta(2 + 2 * k) = exponents[static_cast<std::size_t>(k)];
  }
  return theta;
}

/// Every combination of the grid's exponents, one a term.
std::vector<std::vector<double>> grid_of_exponents(std::size_t terms) {
  const std::vector<double> values{0.03, 0.07, 0.14, 0.25, 0.4, 0.6, 0.9, 1.4, 2.2};
  std::vector<std::vector<double>> grid;
  for (const double first : values) {
    if (terms == 1) {
      grid.push_back({first});
      continue;
    }
    for (const double second : values) {
      grid.push_back({first, second});
    }
  }
  return grid;
}

}  // namespace

LossMinimum search_loss(const LossObjective& objective) {
  constexpr std::size_t kDescents = 12;
  const std::vector<double> ones(objective.points(), 1.0);
  std::vector<LossMinimum> starts;
  for (const std::vector<double>& exponents :
       grid_of_exponents(static_cast<std::size_t>(objective.numbers() / 2))) {
    LossParameters theta = start_with(objective, exponents);
    const double value = objective.value(theta, objective.log_losses(), ones, nullptr);
    starts.push_back({std::move(theta), value});
  }
  const auto less = [](const LossMinimum& a, const LossMinimum& b) { return a.value < b.value; };
  std::stable_sort(starts.begin(), starts.end(), less);
  starts.resize(std::min(starts.size(), kDescents));
  LossMinimum best = starts.front();
  for (const LossMinimum& start : starts) {
    best = std::min(best, descend_loss(objective, start.theta, objective.log_losses(), ones), less);
  }
  return polish(objective, std::move(best), ones);
}

LossMinimum descend_loss(const LossObjective& objective, const LossParameters& start,
                         std::span<const double> log_losses, std::span<const double> weights) {
  constexpr int kMostRestarts = 30;
  constexpr double kGain = 1e-13;
  LossMinimum best{start, objective.value(start, log_losses, weights, nullptr)};
  for (int restart = 0; restart < kMostRestarts; ++restart) {
    const double before = best.value;
    const Eigen::MatrixXd triangle = triangle_of(objective, best.theta, log_losses, weights);
    Whitened problem{objective,
                     log_losses,
                     weights,
                     best.theta,
                     whitening_axes(triangle.leftCols(objective.numbers())),
                     best,
                     LossParameters(objective.numbers())};
    run_lbfgs(problem);
    best = std::move(problem.best);
    if (before - best.value <= kGain * before) {
      break;
    }
  }
  return best;
}

}  // namespace interpscale::scaling
