// The objective of a loss law: a sum of Huber losses of log residuals, the law's logarithm as a
// log-sum-exp, with its gradient and its linearisation.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <span>
#include <vector>

#include "interpscale/scaling/loss_law.hpp"

namespace interpscale::scaling {

/// log law = log(exp(e) + sum over terms k of exp(a_k - exponent_k u_k)), u_k = log size - its
/// mean. theta = (e, a_1, exponent_1, a_2, exponent_2, ...).
using LossParameters = Eigen::VectorXd;

class LossObjective {
 public:
  /// One term (N) or two (N, D) of checked points.
  LossObjective(std::span<const LossPoint> points, bool with_data, double huber_delta);

  [[nodiscard]] std::size_t points() const { return log_losses_.size(); }
  [[nodiscard]] Eigen::Index numbers() const { return 1 + 2 * terms(); }
  [[nodiscard]] const std::vector<double>& log_losses() const { return log_losses_; }
  /// u of term k at point i.
  [[nodiscard]] double centred(Eigen::Index term, std::size_t point) const {
    return centred_logs_(static_cast<Eigen::Index>(point), term);
  }

  /// sum_i weights_i Huber(log_losses_i - log law_i); `gradient` [numbers], where given. A point of
  /// weight 0 costs nothing.
  [[nodiscard]] double value(const LossParameters& theta, std::span<const double> log_losses,
                             std::span<const double> weights, LossParameters* gradient) const;
  /// Rows sqrt(v_i) (d log law_i / d theta, r_i) with v_i = weights_i min(1, delta / |r_i|),
  /// [points, numbers + 1]: the least-squares problem that the objective is like, seen from theta.
  [[nodiscard]] Eigen::MatrixXd linearised(const LossParameters& theta,
                                           std::span<const double> log_losses,
                                           std::span<const double> weights) const;
  /// log law at every point.
  [[nodiscard]] std::vector<double> log_law(const LossParameters& theta) const;

  /// In the units of the points.
  [[nodiscard]] LossLaw to_law(const LossParameters& theta) const;

 private:
  [[nodiscard]] Eigen::Index terms() const { return centred_logs_.cols(); }
  /// log law at a point and its derivatives [numbers].
  double log_law_at(const LossParameters& theta, std::size_t point, double* derivatives) const;

  Eigen::MatrixXd centred_logs_;  // [points, terms]
  Eigen::RowVectorXd means_;
  std::vector<double> log_losses_;
  double huber_delta_;
};

}  // namespace interpscale::scaling
