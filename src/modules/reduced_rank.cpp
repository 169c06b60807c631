// SPDX-License-Identifier: Apache-2.0
#include "modules/reduced_rank.hpp"

#include <Eigen/Dense>
#include <algorithm>

#include "interpscale/core/require.hpp"
#include "interpscale/kernels/make_backend.hpp"

namespace interpscale::modules {
namespace {

using Index = Eigen::Index;
using kernels::GemmCase;

constexpr std::size_t kChunk = 1024;

struct Moments {
  Eigen::VectorXd mean_x;
  Eigen::VectorXd mean_y;
  Eigen::MatrixXd xx;  ///< centred, divided by D
  Eigen::MatrixXd xy;
};

Eigen::VectorXd column_means(MatrixView<const float> values) {
  Eigen::VectorXd means = Eigen::VectorXd::Zero(static_cast<Index>(values.cols()));
  for (std::size_t s = 0; s < values.rows(); ++s) {
    for (std::size_t j = 0; j < values.cols(); ++j) {
      means[static_cast<Index>(j)] += static_cast<double>(values(s, j));
    }
  }
  return means / static_cast<double>(values.rows());
}

void centre(MatrixView<const float> values, const Eigen::VectorXd& means,
            MatrixView<double> centred) {
  for (std::size_t s = 0; s < values.rows(); ++s) {
    for (std::size_t j = 0; j < values.cols(); ++j) {
      centred(s, j) = static_cast<double>(values(s, j)) - means[static_cast<Index>(j)];
    }
  }
}

Eigen::MatrixXd scaled(MatrixView<const double> sums, double factor) {
  Eigen::MatrixXd result(static_cast<Index>(sums.rows()), static_cast<Index>(sums.cols()));
  for (std::size_t i = 0; i < sums.rows(); ++i) {
    for (std::size_t j = 0; j < sums.cols(); ++j) {
      result(static_cast<Index>(i), static_cast<Index>(j)) = factor * sums(i, j);
    }
  }
  return result;
}

/// The same backend's products in double precision, chunk by chunk.
Moments moments_of(MatrixView<const float> x, MatrixView<const float> y,
                   const kernels::Context<float>& context) {
  const auto backend = kernels::make_backend<double>(context.backend.name());
  require(backend.has_value(), "surrogate: the backend has no double precision");
  const kernels::Context<double> in_double(**backend, context.threads, context.workspace);
  const std::size_t capacity = std::min(kChunk, x.rows());
  Moments moments{column_means(x), column_means(y), {}, {}};
  Matrix<double> chunk_x(capacity, x.cols());
  Matrix<double> chunk_y(capacity, y.cols());
  Matrix<double> xx(x.cols(), x.cols());
  Matrix<double> xy(x.cols(), y.cols());
  for (std::size_t first = 0; first < x.rows(); first += capacity) {
    const std::size_t count = std::min(capacity, x.rows() - first);
    const MatrixView<double> rows_x = chunk_x.view().rows_from(0, count);
    const MatrixView<double> rows_y = chunk_y.view().rows_from(0, count);
    centre(x.rows_from(first, count), moments.mean_x, rows_x);
    centre(y.rows_from(first, count), moments.mean_y, rows_y);
    (*backend)->gemm(GemmCase::kTN, rows_x, rows_x, xx, {.beta = 1.0}, in_double);
    (*backend)->gemm(GemmCase::kTN, rows_x, rows_y, xy, {.beta = 1.0}, in_double);
  }
  const double share = 1.0 / static_cast<double>(x.rows());
  moments.xx = scaled(xx, share);
  moments.xy = scaled(xy, share);
  return moments;
}

/// W [out, in] and bias [out] as a stage without activation.
Stage stage_of(const Eigen::MatrixXd& weights, const Eigen::VectorXd& bias) {
  const auto rows = static_cast<std::size_t>(weights.rows());
  const auto cols = static_cast<std::size_t>(weights.cols());
  Stage stage{{Matrix<float>(rows, cols), AlignedVector<float>(rows)}, false};
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      stage.dense.weights(i, j) =
          static_cast<float>(weights(static_cast<Index>(i), static_cast<Index>(j)));
    }
    stage.dense.bias[i] = static_cast<float>(bias[static_cast<Index>(i)]);
  }
  return stage;
}

}  // namespace

std::vector<Stage> reduced_rank_regression(MatrixView<const float> x, MatrixView<const float> y,
                                           std::size_t rank, double ridge,
                                           const kernels::Context<float>& context) {
  require(rank > 0 && x.rows() == y.rows() && x.rows() > 0, "least squares: no rank or no samples");
  const Moments moments = moments_of(x, y, context);
  const auto inputs = static_cast<double>(x.cols());
  // Of a layer below that never varies nothing can be learned: then any ridge will do.
  const double variance = moments.xx.trace() / inputs;
  const double added = ridge * (variance > 0 ? variance : 1.0);
  Eigen::MatrixXd regularised = moments.xx;
  regularised.diagonal().array() += added;
  const Eigen::MatrixXd weights = regularised.llt().solve(moments.xy);  // [in, out]
  if (rank >= y.cols()) {
    return {stage_of(weights.transpose(), moments.mean_y - weights.transpose() * moments.mean_x)};
  }
  const Eigen::MatrixXd fitted = weights.transpose() * moments.xx * weights;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(fitted);
  const Eigen::MatrixXd leading = solver.eigenvectors().rightCols(static_cast<Index>(rank));
  const Eigen::MatrixXd down = leading.transpose() * weights.transpose();  // [rank, in]
  return {stage_of(down, -down * moments.mean_x), stage_of(leading, moments.mean_y)};
}

}  // namespace interpscale::modules
