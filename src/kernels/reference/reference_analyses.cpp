// SPDX-License-Identifier: Apache-2.0
#include "kernels/reference/reference_analyses.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/checks.hpp"
#include "kernels/reference/scalar_activation.hpp"
#include "kernels/scalar_loops.hpp"

namespace interpscale::kernels {
namespace {

/// Of a matrix that may have one row for all.
template <class T>
T at(MatrixView<const T> a, std::size_t i, std::size_t j) {
  return a(a.rows() == 1 ? 0 : i, j);
}

/// joint log(joint total / (marginal of_class)) / total; 0 for nothing.
template <class T>
T information(T joint, T marginal, T of_class, T total) {
  return joint > T{0} ? joint / total * std::log(joint * total / (marginal * of_class)) : T{0};
}

using Square = std::array<std::array<double, kLargestFactor>, kLargestFactor>;

/// The lower triangle L of a = L L^T, column by column.
template <class T>
Square cholesky_factor(MatrixView<const T> a) {
  Square factor{};
  for (std::size_t j = 0; j < a.rows(); ++j) {
    for (std::size_t i = j; i < a.rows(); ++i) {
      double value = static_cast<double>(a(i, j));
      for (std::size_t k = 0; k < j; ++k) {
        value -= factor[i][k] * factor[j][k];
      }
      require(i != j || value > 0.0, "a matrix that is not positive definite");
      factor[i][j] = i == j ? std::sqrt(value) : value / factor[j][j];
    }
  }
  return factor;
}

}  // namespace

template <class T>
void ReferenceAnalyses<T>::multiply_change(MatrixView<const T> next, MatrixView<const T> now,
                                           MatrixView<const T> gradient, MatrixView<T> out,
                                           const Execution&) const {
  checks::change_fits<T>(next, now, gradient, out);
  for (std::size_t i = 0; i < out.rows(); ++i) {
    for (std::size_t j = 0; j < out.cols(); ++j) {
      out(i, j) = (next(i, j) - at(now, i, j)) * (gradient.empty() ? T{1} : at(gradient, i, j));
    }
  }
}

template <class T>
void ReferenceAnalyses<T>::multiply_by_ratio(const Ratio<T>& ratio, MatrixView<T> g,
                                             const Execution&) const {
  checks::ratio_fits<T>(ratio, g);
  for (std::size_t i = 0; i < g.rows(); ++i) {
    for (std::size_t j = 0; j < g.cols(); ++j) {
      const T raw = ratio.denominator(i, j);
      g(i, j) *= ratio.numerator(i, j) / (raw < T{0} ? raw - ratio.epsilon : raw + ratio.epsilon);
    }
  }
}

template <class T>
void ReferenceAnalyses<T>::multiply_by_secants(Activation phi, const Secants<T>& secants,
                                               MatrixView<T> g, const Execution&) const {
  checks::secants_fit<T>(secants, g);
  for (std::size_t i = 0; i < g.rows(); ++i) {
    for (std::size_t j = 0; j < g.cols(); ++j) {
      const T from = at(secants.from_z, i, j);
      const T span = secants.z(i, j) - from;
      if (std::abs(span) < secants.smallest) {
        g(i, j) *= scalar_slope(phi, scalar_activation(phi, from + span / T{2}));
      } else {
        g(i, j) *= (secants.h(i, j) - at(secants.from_h, i, j)) / span;
      }
    }
  }
}

template <class T>
void ReferenceAnalyses<T>::scale_columns(std::span<const T> factors, MatrixView<const T> a,
                                         MatrixView<T> out, const Execution&) const {
  checks::same_shape(a, out);
  checks::columns_fit<T>(a, factors);
  for (std::size_t i = 0; i < out.rows(); ++i) {
    for (std::size_t j = 0; j < out.cols(); ++j) {
      out(i, j) = factors[j] * a(i, j);
    }
  }
}

template <class T>
void ReferenceAnalyses<T>::copy(MatrixView<const T> a, MatrixView<T> out, const Execution&) const {
  checks::same_shape(a, out);
  loops::copy(a, out);
}

template <class T>
void ReferenceAnalyses<T>::gather_rows(MatrixView<const T> a, std::span<const std::uint32_t> index,
                                       MatrixView<T> out, const Execution&) const {
  checks::gather_fits<T>(a, index, out);
  loops::gather_rows(a, index, out);
}

template <class T>
void ReferenceAnalyses<T>::pick(MatrixView<const T> a, std::span<const std::uint32_t> column,
                                std::span<T> out, const Execution&) const {
  checks::pick_fits<T>(a, column, out);
  loops::pick(a, column, out);
}

template <class T>
void ReferenceAnalyses<T>::one_hot(std::span<const std::uint32_t> labels, std::span<const T> on,
                                   std::span<const T> off, MatrixView<T> out,
                                   const Execution&) const {
  checks::one_hot_fits<T>(labels, on, off, out);
  loops::one_hot(labels, on, off, out);
}

template <class T>
void ReferenceAnalyses<T>::count_positive(MatrixView<const T> h,
                                          std::span<const std::uint32_t> labels, bool accumulate,
                                          MatrixView<T> counts, const Execution&) const {
  checks::counts_fit<T>(h, labels, counts);
  for (std::size_t c = 0; c < counts.rows() && !accumulate; ++c) {
    std::fill(counts.row(c).begin(), counts.row(c).end(), T{0});
  }
  for (std::size_t b = 0; b < h.rows(); ++b) {
    for (std::size_t j = 0; j < h.cols(); ++j) {
      counts(labels[b], j) += h(b, j) > T{0} ? T{1} : T{0};
    }
  }
}

template <class T>
void ReferenceAnalyses<T>::mutual_information(MatrixView<const T> active,
                                              std::span<const T> samples, std::span<T> out,
                                              const Execution&) const {
  checks::information_fits<T>(active, samples, out);
  const T total = std::accumulate(samples.begin(), samples.end(), T{0});
  for (std::size_t j = 0; j < out.size(); ++j) {
    T on = T{0};
    for (std::size_t c = 0; c < samples.size(); ++c) {
      on += active(c, j);
    }
    T sum = T{0};
    for (std::size_t c = 0; c < samples.size(); ++c) {
      sum += information(active(c, j), on, samples[c], total);
      sum += information(samples[c] - active(c, j), total - on, samples[c], total);
    }
    out[j] = std::max(sum, T{0});
  }
}

template <class T>
void ReferenceAnalyses<T>::update_largest(MatrixView<const T> a, std::size_t first,
                                          MatrixView<T> values, MatrixView<T> numbers,
                                          const Execution&) const {
  checks::largest_fit<T>(a, first, values, numbers);
  for (std::size_t r = 0; r < values.rows() && first == 0; ++r) {
    std::fill(values.row(r).begin(), values.row(r).end(), -std::numeric_limits<T>::infinity());
    std::fill(numbers.row(r).begin(), numbers.row(r).end(), T{0});
  }
  for (std::size_t j = 0; j < a.cols(); ++j) {
    for (std::size_t i = 0; i < a.rows(); ++i) {
      const T value = a(i, j);
      std::size_t place = values.rows();
      for (; place > 0 && value > values(place - 1, j); --place) {
        if (place < values.rows()) {
          values(place, j) = values(place - 1, j);
          numbers(place, j) = numbers(place - 1, j);
        }
      }
      if (place < values.rows()) {
        values(place, j) = value;
        numbers(place, j) = static_cast<T>(first + i);
      }
    }
  }
}

template <class T>
void ReferenceAnalyses<T>::keep_largest(std::size_t k, MatrixView<const T> a, MatrixView<T> kept,
                                        MatrixView<T> chosen, const Execution&) const {
  checks::choice_fits<T>(k, a, kept, chosen);
  std::vector<std::size_t> order(a.cols());
  for (std::size_t i = 0; i < a.rows(); ++i) {
    const std::span<const T> row = a.row(i);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [row](std::size_t x, std::size_t y) { return row[x] > row[y]; });
    for (std::size_t r = 0; r < order.size(); ++r) {
      chosen(i, order[r]) = r < k ? T{1} : T{0};
      kept(i, order[r]) = r < k ? row[order[r]] : T{0};
    }
  }
}

template <class T>
void ReferenceAnalyses<T>::unit_rows(std::uint64_t seed, std::uint64_t stream, MatrixView<T> out,
                                     const Execution&) const {
  const RandomStream random(seed, stream);
  for (std::size_t i = 0; i < out.rows(); ++i) {
    loops::unit_row(random, i, out.row(i));
  }
}

template <class T>
void ReferenceAnalyses<T>::invert_factor(MatrixView<const T> a, MatrixView<T> inverse,
                                         const Execution&) const {
  checks::factor_fits<T>(a, inverse);
  const Square factor = cholesky_factor(a);
  for (std::size_t j = 0; j < a.rows(); ++j) {
    std::array<double, kLargestFactor> column{};
    for (std::size_t i = j; i < a.rows(); ++i) {
      double value = i == j ? 1.0 : 0.0;
      for (std::size_t k = j; k < i; ++k) {
        value -= factor[i][k] * column[k];
      }
      column[i] = value / factor[i][i];
    }
    for (std::size_t i = 0; i < a.rows(); ++i) {
      inverse(i, j) = static_cast<T>(column[i]);
    }
  }
}

template <class T>
void ReferenceAnalyses<T>::list_units(MatrixView<const T> h, const Walks& walks, bool positive_only,
                                      MatrixView<std::uint32_t> unit, MatrixView<T> value,
                                      const Execution&) const {
  checks::walks_fit<T>(h, walks, unit, value);
  for (std::size_t r = 0; r < unit.cols(); ++r) {
    loops::list_walk(h, walks, positive_only, r, unit, value);
  }
}

template <class T>
std::size_t ReferenceAnalyses<T>::list_elements(MatrixView<const T> a, Listed which,
                                                std::span<const std::uint32_t> tags, T factor,
                                                const ElementList<T>& list,
                                                const Execution&) const {
  checks::list_fits<T>(a, tags, list);
  return loops::list_elements(a, which, tags, factor, list);
}

template <class T>
void ReferenceAnalyses<T>::gather_elements(MatrixView<const T> a, const Places& places,
                                           std::span<T> out, const Execution&) const {
  checks::places_fit<T>(a, places, out.size());
  loops::gather_elements(a, places, out);
}

template <class T>
void ReferenceAnalyses<T>::add_changes(std::span<const T> after, std::span<const T> before,
                                       const Places& places, MatrixView<double> sums,
                                       const Execution&) const {
  checks::changes_fit<T>(after, before, places, sums);
  loops::add_changes(after, before, places, sums);
}

template class ReferenceAnalyses<float>;
template class ReferenceAnalyses<double>;

}  // namespace interpscale::kernels
