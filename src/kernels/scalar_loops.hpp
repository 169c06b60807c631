// Operations that move numbers or draw them, one row at a time: what instruction sets do not make
// faster is the same loop in every backend.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "interpscale/core/random.hpp"
#include "interpscale/kernels/backend.hpp"

namespace interpscale::kernels::loops {

template <class T>
void copy(MatrixView<const T> a, MatrixView<T> out) {
  for (std::size_t i = 0; i < out.rows(); ++i) {
    std::copy_n(a.row_data(i), out.cols(), out.row_data(i));
  }
}

template <class T>
void gather_rows(MatrixView<const T> a, std::span<const std::uint32_t> index, MatrixView<T> out) {
  for (std::size_t r = 0; r < out.rows(); ++r) {
    std::copy_n(a.row_data(index[r]), out.cols(), out.row_data(r));
  }
}

template <class T>
void pick(MatrixView<const T> a, std::span<const std::uint32_t> column, std::span<T> out) {
  for (std::size_t r = 0; r < out.size(); ++r) {
    out[r] = a(r, column[r]);
  }
}

template <class T>
void one_hot(std::span<const std::uint32_t> labels, std::span<const T> on, std::span<const T> off,
             MatrixView<T> out) {
  for (std::size_t b = 0; b < out.rows(); ++b) {
    std::copy_n(off.data(), out.cols(), out.row_data(b));
    out(b, labels[b]) = on[labels[b]];
  }
}

/// Row `row` of `unit_rows`.
template <class T>
void unit_row(const RandomStream& random, std::size_t row, std::span<T> out) {
  double squares = 0.0;
  for (std::size_t j = 0; j < out.size(); ++j) {
    const double value = random.normal(row * out.size() + j);
    squares += value * value;
    out[j] = static_cast<T>(value);
  }
  const T inverse_length = static_cast<T>(1.0 / std::sqrt(squares));
  for (T& value : out) {
    value *= inverse_length;
  }
}

/// Walk r of `list_units`.
template <class T>
void list_walk(MatrixView<const T> h, const Walks& walks, bool positive_only, std::size_t r,
               MatrixView<std::uint32_t> unit, MatrixView<T> value) {
  const T* row = h.row_data(walks.sample[r]);
  std::size_t count = 0;
  for (const std::uint32_t u : walks.orders.row(walks.order[r])) {
    // Written in any case, kept if it counts: half of the units of a layer are active, which no
    // branch predicts. Never beyond the last row: before unit k there are at most k.
    unit(count, r) = u;
    value(count, r) = row[u];
    count += !positive_only || row[u] > T{0} ? 1U : 0U;
  }
}

/// Those elements for which kept(element).
template <class T, class Kept>
std::size_t list_if(MatrixView<const T> a, std::span<const std::uint32_t> tags, T factor,
                    const ElementList<T>& list, const Kept& kept) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.rows(); ++i) {
    const T* row = a.row_data(i);
    for (std::size_t j = 0; j < a.cols(); ++j) {
      list.row[count] = static_cast<std::uint32_t>(i);
      list.column[count] = static_cast<std::uint32_t>(j);
      list.tag[count] = tags[i];
      list.value[count] = factor * row[j];
      count += kept(row[j]) ? 1U : 0U;
    }
  }
  return count;
}

template <class T>
std::size_t list_elements(MatrixView<const T> a, Listed which, std::span<const std::uint32_t> tags,
                          T factor, const ElementList<T>& list) {
  switch (which) {
    case Listed::kPositive:
      return list_if(a, tags, factor, list, [](T value) { return value > T{0}; });
    case Listed::kNonzero:
      return list_if(a, tags, factor, list, [](T value) { return value != T{0}; });
    case Listed::kAll:
      break;
  }
  return list_if(a, tags, factor, list, [](T) { return true; });
}

template <class T>
void gather_elements(MatrixView<const T> a, const Places& places, std::span<T> out) {
  for (std::size_t r = 0; r < out.size(); ++r) {
    out[r] = a(places.row[r], places.column[r]);
  }
}

template <class T>
void add_changes(std::span<const T> after, std::span<const T> before, const Places& places,
                 MatrixView<double> sums) {
  for (std::size_t r = 0; r < after.size(); ++r) {
    sums(places.row[r], places.column[r]) +=
        static_cast<double>(after[r]) - static_cast<double>(before[r]);
  }
}

}  // namespace interpscale::kernels::loops
