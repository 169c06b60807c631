// SPDX-License-Identifier: Apache-2.0
#include "scaling/linear_fit.hpp"

#include <Eigen/QR>
#include <utility>

namespace interpscale::scaling {

LinearFit::LinearFit(Eigen::MatrixXd columns)
    : columns_(std::move(columns)), means_(columns_.colwise().mean()) {
  const Eigen::MatrixXd centred = columns_.rowwise() - means_;
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(centred);
  projector_ = qr.solve(Eigen::MatrixXd::Identity(centred.rows(), centred.rows()));
}

Eigen::VectorXd LinearFit::slopes(std::span<const double> y) const {
  return projector_ * as_vector(y);
}

LinearSolution LinearFit::solve(std::span<const double> y) const {
  LinearSolution solution;
  const auto values = as_vector(y);
  const double mean = values.mean();
  solution.slopes = projector_ * (values.array() - mean).matrix();
  solution.intercept = mean - means_.dot(solution.slopes);
  solution.residuals = (values - columns_ * solution.slopes).array() - solution.intercept;
  return solution;
}

}  // namespace interpscale::scaling
