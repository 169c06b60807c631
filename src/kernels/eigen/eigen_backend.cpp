// SPDX-License-Identifier: Apache-2.0
#include "kernels/eigen/eigen_backend.hpp"

#include <Eigen/Core>
#include <algorithm>

#include "interpscale/core/parallel.hpp"
#include "kernels/adam_factors.hpp"
#include "kernels/checks.hpp"

namespace interpscale::kernels {
namespace {

// Libraries choose their blocks, and so their rounding, by the extents of a product: threads share
// chunks of rows that do not depend on how many threads there are.
constexpr std::size_t kRowsPerChunk = 64;

template <class T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using MatrixMap = Eigen::Map<RowMajor<T>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <class T>
using ConstMatrixMap = Eigen::Map<const RowMajor<T>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <class T>
using RowMap = Eigen::Map<Eigen::Array<T, 1, Eigen::Dynamic>>;
template <class T>
using ConstRowMap = Eigen::Map<const Eigen::Array<T, 1, Eigen::Dynamic>>;

Eigen::Index index(std::size_t extent) {
  return static_cast<Eigen::Index>(extent);
}

template <class T>
MatrixMap<T> map(MatrixView<T> a) {
  return {a.data(), index(a.rows()), index(a.cols()),
          Eigen::OuterStride<>(index(a.leading_dimension()))};
}
template <class T>
ConstMatrixMap<T> map(MatrixView<const T> a) {
  return {a.data(), index(a.rows()), index(a.cols()),
          Eigen::OuterStride<>(index(a.leading_dimension()))};
}
template <class T>
RowMap<T> map(std::span<T> a) {
  return {a.data(), index(a.size())};
}
template <class T>
ConstRowMap<T> map(std::span<const T> a) {
  return {a.data(), index(a.size())};
}

}  // namespace

template <class T>
void EigenBackend<T>::multiply_rows(GemmCase which, MatrixView<const T> a_rows,
                                    MatrixView<const T> b_all, T alpha, T beta,
                                    MatrixView<T> c_rows) const {
  const ConstMatrixMap<T> a = map(a_rows);
  const ConstMatrixMap<T> b = map(b_all);
  MatrixMap<T> c = map(c_rows);
  if (beta == T{0}) {
    c.setZero();
  } else if (beta != T{1}) {
    c *= beta;
  }
  switch (which) {
    case GemmCase::kNT:
      c.noalias() += alpha * (a * b.transpose());
      return;
    case GemmCase::kNN:
      c.noalias() += alpha * (a * b);
      return;
    case GemmCase::kTN:
      c.noalias() += alpha * (a.transpose() * b);
      return;
  }
}

template <class T>
void EigenBackend<T>::gemm(GemmCase which, MatrixView<const T> a, MatrixView<const T> b,
                           MatrixView<T> c, const Epilogue<T>& epilogue,
                           const Execution& with) const {
  const GemmShape shape = gemm_shape<T>(which, a, b, c, epilogue);
  // A mask may be C's own matrix, which is overwritten before it is read here: keep its signs.
  const bool own_mask = !epilogue.mask.empty() && epilogue.mask.data() == c.data();
  const std::size_t chunks = (shape.m + kRowsPerChunk - 1) / kRowsPerChunk;
  parallel_for(with.threads, chunks, [&](std::size_t chunk) {
    const std::size_t first = chunk * kRowsPerChunk;
    const std::size_t count = std::min(kRowsPerChunk, shape.m - first);
    const MatrixView<const T> a_rows =
        which == GemmCase::kTN ? a.cols_from(first, count) : a.rows_from(first, count);
    const MatrixView<T> c_rows = c.rows_from(first, count);
    const MatrixView<const T> mask =
        epilogue.mask.empty() ? epilogue.mask : epilogue.mask.rows_from(first, count);
    RowMajor<T> kept;
    if (own_mask) {
      kept = map(mask);
    }
    multiply_rows(which, a_rows, b, epilogue.alpha, epilogue.beta, c_rows);
    MatrixMap<T> out = map(c_rows);
    if (!epilogue.bias.empty()) {
      out.array().rowwise() += map(epilogue.bias);
    }
    if (epilogue.relu) {
      out = out.cwiseMax(T{0});
    }
    if (own_mask) {
      out = (kept.array() > T{0}).select(out, T{0});
    } else if (!mask.empty()) {
      out = (map(mask).array() > T{0}).select(out, T{0});
    }
  });
}

template <class T>
void EigenBackend<T>::multiply(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out,
                               const Execution&) const {
  checks::same_shape(a, out);
  checks::same_shape(b, out);
  map(out).array() = map(a).array() * map(b).array();
}

template <class T>
void EigenBackend<T>::accumulate_path_step(MatrixView<const T> next, MatrixView<const T> now,
                                           MatrixView<const T> gradient, MatrixView<T> out,
                                           const Execution&) const {
  checks::same_shape(next, out);
  checks::same_shape(now, out);
  checks::same_shape(gradient, out);
  map(out).array() += (map(next) - map(now)).array() * map(gradient).array();
}

template <class T>
void EigenBackend<T>::interpolate(MatrixView<const T> from, MatrixView<const T> to, T t,
                                  MatrixView<T> out, const Execution&) const {
  checks::same_shape(from, out);
  checks::same_shape(to, out);
  map(out) = map(from) + t * (map(to) - map(from));
}

template <class T>
void EigenBackend<T>::column_sums(MatrixView<const T> a, T beta, std::span<T> out,
                                  const Execution&) const {
  checks::columns_fit<T>(a, out);
  RowMap<T> sums = map(out);
  if (beta == T{0}) {
    sums = map(a).array().colwise().sum();
  } else {
    sums = beta * sums + map(a).array().colwise().sum();
  }
}

template <class T>
void EigenBackend<T>::column_moments(MatrixView<const T> a, const ColumnMoments<T>& out,
                                     const Execution&) const {
  checks::moments_fit(a, out);
  const auto values = map(a).array();
  const T rows = static_cast<T>(a.rows());
  RowMap<T> mean = map(out.mean);
  mean = values.colwise().sum() / rows;
  map(out.variance) = (values.rowwise() - mean).square().colwise().sum() / rows;
  map(out.positive_fraction) = (values > T{0}).template cast<T>().colwise().sum() / rows;
}

template <class T>
void EigenBackend<T>::sgd_step(const SgdStep<T>& step, std::span<const T> gradient,
                               std::span<T> velocity, std::span<T> weights,
                               const Execution&) const {
  checks::same_length<T>(gradient, velocity, weights);
  map(velocity) = step.momentum * map(velocity) + map(gradient);
  map(weights) -= step.rate * map(velocity);
}

template <class T>
void EigenBackend<T>::adam_step(const AdamStep<T>& step, std::span<const T> gradient,
                                std::span<T> first, std::span<T> second, std::span<T> weights,
                                const Execution&) const {
  checks::same_length<T>(gradient, first, weights);
  checks::same_length<T>(gradient, second, weights);
  const AdamFactors<T> factors = adam_factors(step);
  const ConstRowMap<T> g = map(gradient);
  RowMap<T> m = map(first);
  RowMap<T> v = map(second);
  m = step.beta1 * m + (T{1} - step.beta1) * g;
  v = step.beta2 * v + (T{1} - step.beta2) * g.square();
  map(weights) -= factors.rate * m / ((v / factors.second_correction).sqrt() + step.epsilon);
}

template <class T>
void EigenBackend<T>::rank_one_rows(MatrixView<const T> z, MatrixView<const T> columns,
                                    const SparseRows<T>& rows, bool relu, MatrixView<T> out,
                                    const Execution& with) const {
  checks::sparse_rows_fit<T>(z, columns, rows, out);
  parallel_for(with.threads, out.rows(), [&](std::size_t r) {
    const auto row = map(std::span<const T>(z.row(rows.sample[r]))) +
                     rows.delta[r] * map(std::span<const T>(columns.row(rows.unit[r])));
    if (relu) {
      map(out.row(r)) = row.max(T{0});
    } else {
      map(out.row(r)) = row;
    }
  });
}

template <class T>
void EigenBackend<T>::transpose(MatrixView<const T> a, MatrixView<T> out, const Execution&) const {
  checks::transposed_shape<T>(a, out);
  map(out) = map(a).transpose();
}

template class EigenBackend<float>;
template class EigenBackend<double>;

}  // namespace interpscale::kernels
