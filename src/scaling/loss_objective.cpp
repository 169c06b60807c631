// SPDX-License-Identifier: Apache-2.0
#include "scaling/loss_objective.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "interpscale/core/require.hpp"

namespace interpscale::scaling {
namespace {

constexpr Eigen::Index kMostTerms = 2;
constexpr std::size_t kMostNumbers = 1 + 2 * kMostTerms;

/// Places in theta.
constexpr Eigen::Index coefficient_of(Eigen::Index term) {
  return 1 + 2 * term;
}
constexpr Eigen::Index exponent_of(Eigen::Index term) {
  return 2 + 2 * term;
}

}  // namespace

LossObjective::LossObjective(std::span<const LossPoint> points, bool with_data, double huber_delta)
    : centred_logs_(static_cast<Eigen::Index>(points.size()), with_data ? kMostTerms : 1),
      huber_delta_(huber_delta) {
  require(!points.empty() && huber_delta > 0, "points to fit, a positive delta");
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    log_losses_.push_back(std::log(points[i].loss));
    centred_logs_(row, 0) = std::log(points[i].parameters);
    if (with_data) {
      centred_logs_(row, 1) = std::log(points[i].data);
    }
  }
  means_ = centred_logs_.colwise().mean();
  centred_logs_.rowwise() -= means_;
}

double LossObjective::log_law_at(const LossParameters& theta, std::size_t point,
                                 double* derivatives) const {
  std::array<double, 1 + kMostTerms> exponents{theta(0)};
  double largest = theta(0);
  for (Eigen::Index k = 0; k < terms(); ++k) {
    const double exponent = theta(coefficient_of(k)) - theta(exponent_of(k)) * centred(k, point);
    exponents[static_cast<std::size_t>(k) + 1] = exponent;
    largest = std::max(largest, exponent);
  }
  double sum = 0;
  for (Eigen::Index k = 0; k <= terms(); ++k) {
    double& share = exponents[static_cast<std::size_t>(k)];
    share = std::exp(share - largest);
    sum += share;
  }
  if (derivatives != nullptr) {
    derivatives[0] = exponents[0] / sum;
    for (Eigen::Index k = 0; k < terms(); ++k) {
      const double share = exponents[static_cast<std::size_t>(k) + 1] / sum;
      derivatives[coefficient_of(k)] = share;
      derivatives[exponent_of(k)] = -share * centred(k, point);
    }
  }
  return largest + std::log(sum);
}

double LossObjective::value(const LossParameters& theta, std::span<const double> log_losses,
                            std::span<const double> weights, LossParameters* gradient) const {
  require(theta.size() == numbers() && log_losses.size() == points() && weights.size() == points(),
          "numbers, losses and weights of this law");
  std::array<double, kMostNumbers> derivatives{};
  if (gradient != nullptr) {
    gradient->setZero(numbers());
  }
  double sum = 0;
  for (std::size_t i = 0; i < points(); ++i) {
    if (weights[i] == 0) {
      continue;
    }
    const double residual =
        log_losses[i] - log_law_at(theta, i, gradient != nullptr ? derivatives.data() : nullptr);
    const double size = std::abs(residual);
    const bool inside = size <= huber_delta_;
    sum +=
        weights[i] * (inside ? residual * residual / 2 : huber_delta_ * (size - huber_delta_ / 2));
    if (gradient != nullptr) {
      const double slope = weights[i] * (inside ? residual : std::copysign(huber_delta_, residual));
      for (Eigen::Index j = 0; j < numbers(); ++j) {
        (*gradient)(j) -= slope * derivatives[static_cast<std::size_t>(j)];
      }
    }
  }
  return sum;
}

Eigen::MatrixXd LossObjective::linearised(const LossParameters& theta,
                                          std::span<const double> log_losses,
                                          std::span<const double> weights) const {
  Eigen::MatrixXd rows(static_cast<Eigen::Index>(points()), numbers() + 1);
  std::array<double, kMostNumbers> derivatives{};
  for (std::size_t i = 0; i < points(); ++i) {
    const double residual = log_losses[i] - log_law_at(theta, i, derivatives.data());
    const double size = std::abs(residual);
    const double root = std::sqrt(weights[i] * (size <= huber_delta_ ? 1 : huber_delta_ / size));
    const auto row = static_cast<Eigen::Index>(i);
    for (Eigen::Index j = 0; j < numbers(); ++j) {
      rows(row, j) = root * derivatives[static_cast<std::size_t>(j)];
    }
    rows(row, numbers()) = root * residual;
  }
  return rows;
}

std::vector<double> LossObjective::log_law(const LossParameters& theta) const {
  std::vector<double> logs(points());
  for (std::size_t i = 0; i < points(); ++i) {
    logs[i] = log_law_at(theta, i, nullptr);
  }
  return logs;
}

LossLaw LossObjective::to_law(const LossParameters& theta) const {
  LossLaw law;
  law.irreducible = std::exp(theta(0));
  law.parameters_exponent = theta(exponent_of(0));
  law.parameters_coefficient =
      std::exp(theta(coefficient_of(0)) + law.parameters_exponent * means_(0));
  if (terms() > 1) {
    law.data_exponent = theta(exponent_of(1));
    law.data_coefficient = std::exp(theta(coefficient_of(1)) + law.data_exponent * means_(1));
  }
  return law;
}

}  // namespace interpscale::scaling
