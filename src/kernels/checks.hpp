// The preconditions of `Backend`'s operations, shared by every backend: a call with operands that
// do not fit each other throws `ContractViolation` before anything is written.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "interpscale/core/require.hpp"
#include "interpscale/kernels/backend.hpp"

namespace interpscale::kernels::checks {

template <class T, class U>
void same_shape(MatrixView<T> a, MatrixView<U> b, const CallSite& where = CallSite::here()) {
  require(a.rows() == b.rows() && a.cols() == b.cols(), "matrices of different shape", where);
}

template <class T>
void columns_fit(MatrixView<const T> a, std::span<const T> out) {
  require(out.size() == a.cols(), "a result that is not [cols]");
}

template <class T>
void moments_fit(MatrixView<const T> a, const ColumnMoments<T>& out) {
  require(a.rows() > 0, "column moments of no rows");
  columns_fit<T>(a, out.mean);
  columns_fit<T>(a, out.variance);
  columns_fit<T>(a, out.positive_fraction);
}

template <class T>
void labels_fit(MatrixView<const T> logits, std::span<const std::uint32_t> labels,
                std::span<const T> losses) {
  require(labels.size() == logits.rows(), "labels are not [B]");
  require(losses.size() == logits.rows(), "losses are not [B]");
  require(std::all_of(labels.begin(), labels.end(),
                      [&logits](std::uint32_t label) { return label < logits.cols(); }),
          "a label is not below the number of classes");
}

template <class T>
void same_length(std::span<const T> gradient, std::span<const T> state,
                 std::span<const T> weights) {
  require(gradient.size() == weights.size() && state.size() == weights.size(),
          "gradient, state and weights of different length");
}

template <class T>
void sparse_rows_fit(MatrixView<const T> z, MatrixView<const T> columns, const SparseRows<T>& rows,
                     MatrixView<const T> out) {
  require(z.cols() == out.cols() && columns.cols() == out.cols(),
          "rank-one rows: widths of z, columns and out differ");
  require(rows.sample.size() == out.rows() && rows.unit.size() == out.rows() &&
              rows.delta.size() == out.rows(),
          "rank-one rows: sample, unit and delta are not [rows]");
  const auto all_below = [](std::span<const std::uint32_t> values, std::size_t bound) {
    return values.empty() || *std::max_element(values.begin(), values.end()) < bound;
  };
  require(all_below(rows.sample, z.rows()), "rank-one rows: a sample outside z");
  require(all_below(rows.unit, columns.rows()), "rank-one rows: a unit outside columns");
}

template <class T>
void transposed_shape(MatrixView<const T> a, MatrixView<const T> out) {
  require(a.rows() == out.cols() && a.cols() == out.rows(), "out does not have a^T's shape");
}

/// jacobian [units, samples * inputs], h [samples, units].
template <class T>
void jacobian_fits(MatrixView<const T> h, std::size_t inputs, MatrixView<const T> jacobian) {
  require(jacobian.rows() == h.cols(), "jacobian: not one row a unit");
  require(jacobian.cols() == checked_product(h.rows(), inputs),
          "jacobian: columns are not samples * inputs");
}

/// jacobian [units, samples * inputs], out [units, inputs].
template <class T>
void jacobian_sums_fit(MatrixView<const T> jacobian, MatrixView<const T> out) {
  require(jacobian.rows() == out.rows(), "jacobian: out has not one row a unit");
  require(out.cols() == 0 ? jacobian.cols() == 0 : jacobian.cols() % out.cols() == 0,
          "jacobian: columns are not a multiple of the inputs");
}

}  // namespace interpscale::kernels::checks
