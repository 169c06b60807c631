// Row-major matrices: `Matrix` owns, `MatrixView` borrows. Every row of a `Matrix` starts on a
// cache line; the padding behind a row is zero and stays zero.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "interpscale/core/aligned_vector.hpp"
#include "interpscale/core/checked.hpp"
#include "interpscale/core/require.hpp"

namespace interpscale {

/// A borrowed [rows, cols] matrix, element (i, j) at data[i * leading_dimension + j].
template <class T>
class MatrixView {
 public:
  MatrixView() = default;
  MatrixView(T* data, std::size_t rows, std::size_t cols, std::size_t leading_dimension)
      : data_(data), rows_(rows), cols_(cols), leading_dimension_(leading_dimension) {
    require(leading_dimension >= cols, "leading dimension below the number of columns");
  }
  /// A view of mutable elements is also a view of constant ones.
  operator MatrixView<const T>() const requires(!std::is_const_v<T>) {
    return {data_, rows_, cols_, leading_dimension_};
  }

  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t cols() const { return cols_; }
  [[nodiscard]] std::size_t leading_dimension() const { return leading_dimension_; }
  [[nodiscard]] bool empty() const { return rows_ == 0 || cols_ == 0; }

  [[nodiscard]] T& operator()(std::size_t i, std::size_t j) const {
    return data_[i * leading_dimension_ + j];
  }
  [[nodiscard]] T* row_data(std::size_t i) const { return data_ + i * leading_dimension_; }
  [[nodiscard]] std::span<T> row(std::size_t i) const { return {row_data(i), cols_}; }

  /// Rows [first, first + count), all columns.
  [[nodiscard]] MatrixView rows_from(std::size_t first, std::size_t count) const {
    require(first <= rows_ && count <= rows_ - first, "rows outside the matrix");
    return {row_data(first), count, cols_, leading_dimension_};
  }
  /// Columns [first, first + count), all rows.
  [[nodiscard]] MatrixView cols_from(std::size_t first, std::size_t count) const {
    require(first <= cols_ && count <= cols_ - first, "columns outside the matrix");
    return {data_ + first, rows_, count, leading_dimension_};
  }

 private:
  T* data_ = nullptr;
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
  std::size_t leading_dimension_ = 0;
};

/// An owned [rows, cols] matrix of zeros; leading dimension = cols rounded up to a cache line.
template <class T>
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::size_t rows, std::size_t cols)
      : rows_(rows),
        cols_(cols),
        leading_dimension_(round_up(cols, kCacheLineBytes / sizeof(T))),
        storage_(checked_product(rows, leading_dimension_)) {}

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t cols() const { return cols_; }
  [[nodiscard]] std::size_t leading_dimension() const { return leading_dimension_; }
  [[nodiscard]] bool empty() const { return rows_ == 0 || cols_ == 0; }

  [[nodiscard]] T& operator()(std::size_t i, std::size_t j) {
    return storage_[i * leading_dimension_ + j];
  }
  [[nodiscard]] const T& operator()(std::size_t i, std::size_t j) const {
    return storage_[i * leading_dimension_ + j];
  }
  [[nodiscard]] std::span<T> row(std::size_t i) { return view().row(i); }
  [[nodiscard]] std::span<const T> row(std::size_t i) const { return view().row(i); }

  [[nodiscard]] MatrixView<T> view() { return {storage_.data(), rows_, cols_, leading_dimension_}; }
  [[nodiscard]] MatrixView<const T> view() const {
    return {storage_.data(), rows_, cols_, leading_dimension_};
  }
  operator MatrixView<T>() { return view(); }
  operator MatrixView<const T>() const { return view(); }

  /// All elements and the padding behind each row, [rows * leading_dimension]: for work that treats
  /// every element alike and keeps zero at zero (an optimizer's update).
  [[nodiscard]] std::span<T> padded() { return storage_; }
  [[nodiscard]] std::span<const T> padded() const { return storage_; }

 private:
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
  std::size_t leading_dimension_ = 0;
  AlignedVector<T> storage_;
};

/// target := source, converting the scalar type where they differ. Same shape.
template <class From, class To>
void copy(MatrixView<From> source, MatrixView<To> target) {
  require(source.rows() == target.rows() && source.cols() == target.cols(),
          "copy between matrices of different shape");
  for (std::size_t i = 0; i < source.rows(); ++i) {
    std::transform(source.row(i).begin(), source.row(i).end(), target.row(i).begin(),
                   [](auto value) { return static_cast<To>(value); });
  }
}

}  // namespace interpscale
