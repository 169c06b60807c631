// The preconditions of `Backend`'s operations, shared by every backend: a call with operands that
// do not fit each other throws `ContractViolation` before anything is written.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
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
void soft_targets_fit(MatrixView<const T> logits, MatrixView<const T> targets,
                      std::span<const T> losses, std::span<const T> magnitudes) {
  same_shape(logits, targets);
  require(losses.size() == logits.rows(), "losses are not [B]");
  require(magnitudes.size() == logits.rows(), "magnitudes are not [B]");
}

template <class T>
void same_length(std::span<const T> gradient, std::span<const T> state,
                 std::span<const T> weights) {
  require(gradient.size() == weights.size() && state.size() == weights.size(),
          "gradient, state and weights of different length");
}

/// Every index is below `bound`.
inline void all_below(std::span<const std::uint32_t> indices, std::size_t bound,
                      const CallSite& where = CallSite::here()) {
  require(indices.empty() || *std::max_element(indices.begin(), indices.end()) < bound,
          "an index outside the matrix", where);
}

/// Each of `count` rows names one of so many samples and one of so many units.
template <class T>
void sparse_rows_index(const SparseRows<T>& rows, std::size_t count, std::size_t samples,
                       std::size_t units) {
  require(rows.sample.size() == count && rows.unit.size() == count && rows.delta.size() == count,
          "rank-one rows: sample, unit and delta are not [rows]");
  all_below(rows.sample, samples);
  all_below(rows.unit, units);
}

template <class T>
void sparse_rows_fit(MatrixView<const T> z, MatrixView<const T> columns, const SparseRows<T>& rows,
                     MatrixView<const T> out) {
  require(z.cols() == out.cols() && columns.cols() == out.cols(),
          "rank-one rows: widths of z, columns and out differ");
  sparse_rows_index(rows, out.rows(), z.rows(), columns.rows());
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

/// The shape, or one row for all.
template <class T, class U>
void same_shape_or_row(MatrixView<T> a, MatrixView<U> b, const CallSite& where = CallSite::here()) {
  require(a.cols() == b.cols() && (a.rows() == b.rows() || a.rows() == 1),
          "neither the shape of the others nor one row for all", where);
}

template <class T>
void change_fits(MatrixView<const T> next, MatrixView<const T> now, MatrixView<const T> gradient,
                 MatrixView<const T> out) {
  same_shape(next, out);
  if (!gradient.empty()) {
    same_shape_or_row(gradient, out);
  }
  same_shape_or_row(now, out);
}

template <class T>
void ratio_fits(const Ratio<T>& ratio, MatrixView<const T> g) {
  same_shape(ratio.numerator, g);
  same_shape(ratio.denominator, g);
}

template <class T>
void secants_fit(const Secants<T>& secants, MatrixView<const T> g) {
  same_shape(secants.z, g);
  same_shape(secants.h, g);
  same_shape_or_row(secants.from_z, g);
  same_shape(secants.from_z, secants.from_h);
}

template <class T>
void gather_fits(MatrixView<const T> a, std::span<const std::uint32_t> index,
                 MatrixView<const T> out) {
  require(index.size() == out.rows() && a.cols() == out.cols(), "gather: index or out do not fit");
  all_below(index, a.rows());
}

template <class T>
void pick_fits(MatrixView<const T> a, std::span<const std::uint32_t> column,
               std::span<const T> out) {
  require(column.size() == a.rows() && out.size() == a.rows(), "pick: not one column a row");
  all_below(column, a.cols());
}

template <class T>
void one_hot_fits(std::span<const std::uint32_t> labels, std::span<const T> on,
                  std::span<const T> off, MatrixView<const T> out) {
  require(labels.size() == out.rows() && on.size() == out.cols() && off.size() == out.cols(),
          "one-hot: labels, on, off and out do not fit");
  all_below(labels, out.cols());
}

template <class T>
void counts_fit(MatrixView<const T> h, std::span<const std::uint32_t> labels,
                MatrixView<const T> counts) {
  require(labels.size() == h.rows() && counts.cols() == h.cols(), "counts: shapes do not fit");
  all_below(labels, counts.rows());
}

template <class T>
void information_fits(MatrixView<const T> active, std::span<const T> samples,
                      std::span<const T> out) {
  require(samples.size() == active.rows() && out.size() == active.cols(),
          "mutual information: shapes do not fit");
}

/// Whole numbers up to here are exact.
template <class T>
constexpr std::size_t kExactCount = std::size_t{1} << std::numeric_limits<T>::digits;

template <class T>
void largest_fit(MatrixView<const T> a, std::size_t first, MatrixView<const T> values,
                 MatrixView<const T> numbers) {
  same_shape(values, numbers);
  require(values.rows() > 0 && values.cols() == a.cols(), "largest: lists are not [k, cols]");
  require(first + a.rows() <= kExactCount<T>, "largest: numbers that are not exact");
}

template <class T>
void choice_fits(std::size_t k, MatrixView<const T> a, MatrixView<const T> kept,
                 MatrixView<const T> chosen) {
  same_shape(a, kept);
  same_shape(a, chosen);
  require(k > 0 && k <= a.cols(), "a choice of none, or of more than there are");
  require(a.cols() <= kExactCount<T>, "a choice among columns whose numbers are not exact");
}

template <class T>
void factor_fits(MatrixView<const T> a, MatrixView<const T> inverse) {
  same_shape(a, inverse);
  require(a.rows() == a.cols() && a.rows() <= kLargestFactor, "factor: not square, or too large");
}

template <class T>
void walks_fit(MatrixView<const T> h, const Walks& walks, MatrixView<const std::uint32_t> unit,
               MatrixView<const T> value) {
  same_shape(unit, value);
  require(walks.order.size() == unit.cols() && walks.sample.size() == unit.cols(),
          "walks: order and sample are not [walks]");
  require(unit.rows() == h.cols() && walks.orders.cols() == h.cols(),
          "walks: not as many steps as units");
  all_below(walks.order, walks.orders.rows());
  all_below(walks.sample, h.rows());
}

template <class T>
void list_fits(MatrixView<const T> a, std::span<const std::uint32_t> tags,
               const ElementList<T>& list) {
  const std::size_t elements = checked_product(a.rows(), a.cols());
  require(tags.size() == a.rows(), "list: not one tag a row");
  require(list.row.size() >= elements && list.column.size() >= elements &&
              list.tag.size() >= elements && list.value.size() >= elements,
          "list: shorter than the matrix has elements");
}

template <class T>
void places_fit(MatrixView<const T> a, const Places& places, std::size_t count) {
  require(places.row.size() == count && places.column.size() == count,
          "places: rows, columns and values of different length");
  all_below(places.row, a.rows());
  all_below(places.column, a.cols());
}

template <class T>
void changes_fit(std::span<const T> after, std::span<const T> before, const Places& places,
                 MatrixView<const double> sums) {
  require(before.size() == after.size(), "changes: after and before of different length");
  places_fit(sums, places, after.size());
}

/// A packed Jacobian [samples * units, inputs], h [samples, units].
template <class T>
void packed_jacobian_fits(MatrixView<const T> h, MatrixView<const T> jacobian) {
  require(jacobian.rows() == checked_product(h.rows(), h.cols()),
          "packed jacobian: rows are not samples * units");
}

template <class T>
void first_active_jacobian_fits(MatrixView<const T> h, MatrixView<const T> weights,
                                MatrixView<const T> factors, MatrixView<const T> jacobian) {
  packed_jacobian_fits(h, jacobian);
  require(weights.rows() == h.cols() && weights.cols() == jacobian.cols(),
          "packed jacobian: weights are not [units, inputs]");
  require(factors.empty() || (factors.rows() == h.rows() && factors.cols() == jacobian.cols()),
          "packed jacobian: factors are not [samples, inputs]");
}

template <class T>
void next_active_jacobian_fits(const ActiveLayer<T>& layer, MatrixView<const T> below,
                               MatrixView<const T> jacobian) {
  packed_jacobian_fits(layer.h, jacobian);
  packed_jacobian_fits(layer.below, below);
  require(layer.h.rows() == layer.below.rows() && below.cols() == jacobian.cols(),
          "packed jacobian: samples or inputs differ below");
  require(layer.weights.rows() == layer.h.cols() && layer.weights.cols() == layer.below.cols(),
          "packed jacobian: weights are not [units, units below]");
}

template <class T>
void active_sum_fits(const ActiveSum<T>& sum, MatrixView<const T> jacobian,
                     MatrixView<const T> out) {
  packed_jacobian_fits(sum.h, jacobian);
  require(out.rows() == sum.h.cols() && out.cols() == jacobian.cols(),
          "packed jacobian: out is not [units, inputs]");
  require(
      sum.gains.empty() || (sum.gains.rows() == sum.h.rows() && sum.gains.cols() == sum.h.cols()),
      "packed jacobian: gains are not [samples, units]");
}

template <class T>
void restarted_layers_fit(const RestartedLayers<T>& layers, const SparseRows<T>& rows,
                          MatrixView<const T> out) {
  require(layers.columns.cols() == layers.z.cols() && layers.next.rows() == layers.z.cols(),
          "rank-one products: widths of z, columns and next differ");
  require(layers.next.cols() == out.cols() && layers.bias.size() == out.cols(),
          "rank-one products: next and bias do not have out's columns");
  sparse_rows_index(rows, out.rows(), layers.z.rows(), layers.columns.rows());
}

}  // namespace interpscale::kernels::checks
