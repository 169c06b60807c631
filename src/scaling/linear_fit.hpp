// Least squares with an intercept, prepared once for a design and applied to many right-hand sides.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <span>

namespace interpscale::scaling {

/// y = intercept + columns slopes + residuals.
struct LinearSolution {
  double intercept = 0;
  Eigen::VectorXd slopes;
  Eigen::VectorXd residuals;
  [[nodiscard]] double sum_of_squares() const { return residuals.squaredNorm(); }
};

/// A column view of `values`.
[[nodiscard]] inline Eigen::Map<const Eigen::VectorXd> as_vector(std::span<const double> values) {
  return {values.data(), static_cast<Eigen::Index>(values.size())};
}

class LinearFit {
 public:
  /// columns: [cells, predictors], of full rank beside the intercept.
  explicit LinearFit(Eigen::MatrixXd columns);

  /// Predictors and intercept.
  [[nodiscard]] std::size_t numbers() const {
    return static_cast<std::size_t>(columns_.cols()) + 1;
  }
  [[nodiscard]] LinearSolution solve(std::span<const double> y) const;
  /// The slopes alone: predictors x cells multiplications.
  [[nodiscard]] Eigen::VectorXd slopes(std::span<const double> y) const;
  [[nodiscard]] const Eigen::RowVectorXd& column_means() const { return means_; }

 private:
  Eigen::MatrixXd columns_;
  Eigen::RowVectorXd means_;
  Eigen::MatrixXd projector_;  // [predictors, cells]: slopes = projector y
};

}  // namespace interpscale::scaling
