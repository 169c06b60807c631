// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/simd_analyses.hpp"

#include "kernels/checks.hpp"
#include "kernels/scalar_loops.hpp"
#include "kernels/simd/share.hpp"

namespace interpscale::kernels {
namespace {

using simd::bytes_of;
using simd::kStep;
using simd::share;

/// The rows of `a` as `share` hands them out; one row for all stays one, and none stays none.
template <class T>
MatrixView<const T> part(MatrixView<const T> a, std::size_t first, std::size_t count) {
  return a.rows() <= 1 ? a : a.rows_from(first, count);
}

}  // namespace

template <class T>
SimdAnalyses<T>::SimdAnalyses(simd::TargetBit target) {
  simd::select(target, quotients_);
  simd::select(target, tallies_);
  simd::select(target, selection_);
  simd::select(target, factor_);
}

template <class T>
void SimdAnalyses<T>::multiply_change(MatrixView<const T> next, MatrixView<const T> now,
                                      MatrixView<const T> gradient, MatrixView<T> out,
                                      const Execution& with) const {
  checks::change_fits<T>(next, now, gradient, out);
  share(with, out.rows(), 1, bytes_of<T>(out), [&](std::size_t first, std::size_t count) {
    quotients_.multiply_change(next.rows_from(first, count), part(now, first, count),
                               part(gradient, first, count), out.rows_from(first, count));
  });
}

template <class T>
void SimdAnalyses<T>::multiply_by_ratio(const Ratio<T>& ratio, MatrixView<T> g,
                                        const Execution& with) const {
  checks::ratio_fits<T>(ratio, g);
  share(with, g.rows(), 1, bytes_of<T>(g), [&](std::size_t first, std::size_t count) {
    quotients_.multiply_by_ratio({ratio.numerator.rows_from(first, count),
                                  ratio.denominator.rows_from(first, count), ratio.epsilon},
                                 g.rows_from(first, count));
  });
}

template <class T>
void SimdAnalyses<T>::multiply_by_secants(Activation phi, const Secants<T>& secants,
                                          MatrixView<T> g, const Execution& with) const {
  checks::secants_fit<T>(secants, g);
  share(with, g.rows(), 1, bytes_of<T>(g), [&](std::size_t first, std::size_t count) {
    quotients_.multiply_by_secants(
        phi,
        {secants.z.rows_from(first, count), secants.h.rows_from(first, count),
         part(secants.from_z, first, count), part(secants.from_h, first, count), secants.smallest},
        g.rows_from(first, count));
  });
}

template <class T>
void SimdAnalyses<T>::scale_columns(std::span<const T> factors, MatrixView<const T> a,
                                    MatrixView<T> out, const Execution& with) const {
  checks::same_shape(a, out);
  checks::columns_fit<T>(a, factors);
  share(with, out.rows(), 1, bytes_of<T>(out), [&](std::size_t first, std::size_t count) {
    quotients_.scale_columns(factors, a.rows_from(first, count), out.rows_from(first, count));
  });
}

template <class T>
void SimdAnalyses<T>::copy(MatrixView<const T> a, MatrixView<T> out, const Execution& with) const {
  checks::same_shape(a, out);
  share(with, out.rows(), 1, bytes_of<T>(out), [&](std::size_t first, std::size_t count) {
    loops::copy(a.rows_from(first, count), out.rows_from(first, count));
  });
}

template <class T>
void SimdAnalyses<T>::gather_rows(MatrixView<const T> a, std::span<const std::uint32_t> index,
                                  MatrixView<T> out, const Execution& with) const {
  checks::gather_fits<T>(a, index, out);
  share(with, out.rows(), 1, bytes_of<T>(out), [&](std::size_t first, std::size_t count) {
    loops::gather_rows(a, index.subspan(first, count), out.rows_from(first, count));
  });
}

template <class T>
void SimdAnalyses<T>::pick(MatrixView<const T> a, std::span<const std::uint32_t> column,
                           std::span<T> out, const Execution&) const {
  checks::pick_fits<T>(a, column, out);
  loops::pick(a, column, out);
}

template <class T>
void SimdAnalyses<T>::one_hot(std::span<const std::uint32_t> labels, std::span<const T> on,
                              std::span<const T> off, MatrixView<T> out,
                              const Execution& with) const {
  checks::one_hot_fits<T>(labels, on, off, out);
  share(with, out.rows(), 1, bytes_of<T>(out), [&](std::size_t first, std::size_t count) {
    loops::one_hot(labels.subspan(first, count), on, off, out.rows_from(first, count));
  });
}

template <class T>
void SimdAnalyses<T>::count_positive(MatrixView<const T> h, std::span<const std::uint32_t> labels,
                                     bool accumulate, MatrixView<T> counts,
                                     const Execution& with) const {
  checks::counts_fit<T>(h, labels, counts);
  share(with, h.cols(), kStep, bytes_of(h), [&](std::size_t first, std::size_t count) {
    tallies_.count_positive(h.cols_from(first, count), labels, accumulate,
                            counts.cols_from(first, count));
  });
}

template <class T>
void SimdAnalyses<T>::mutual_information(MatrixView<const T> active, std::span<const T> samples,
                                         std::span<T> out, const Execution& with) const {
  checks::information_fits<T>(active, samples, out);
  share(with, out.size(), kStep, bytes_of(active), [&](std::size_t first, std::size_t count) {
    tallies_.mutual_information(active.cols_from(first, count), samples, out.subspan(first, count));
  });
}

template <class T>
void SimdAnalyses<T>::update_largest(MatrixView<const T> a, std::size_t first_number,
                                     MatrixView<T> values, MatrixView<T> numbers,
                                     const Execution& with) const {
  checks::largest_fit<T>(a, first_number, values, numbers);
  share(with, a.cols(), kStep, bytes_of(a), [&](std::size_t first, std::size_t count) {
    selection_.update_largest(a.cols_from(first, count), first_number,
                              values.cols_from(first, count), numbers.cols_from(first, count));
  });
}

template <class T>
void SimdAnalyses<T>::keep_largest(std::size_t k, MatrixView<const T> a, MatrixView<T> kept,
                                   MatrixView<T> chosen, const Execution& with) const {
  checks::choice_fits<T>(k, a, kept, chosen);
  const std::size_t lanes = selection_.lanes;
  const std::size_t groups = (a.rows() + lanes - 1) / lanes;
  const Workspace::Scope scope(with.workspace);
  const MatrixView<T> lists = with.workspace.matrix<T>(checked_product(groups, 2 * k), lanes);
  share(with, groups, 1, bytes_of(a), [&](std::size_t first, std::size_t count) {
    for (std::size_t group = first; group < first + count; ++group) {
      const std::size_t row = group * lanes;
      const std::size_t rows = std::min(lanes, a.rows() - row);
      selection_.keep_largest(k, a.rows_from(row, rows), kept.rows_from(row, rows),
                              chosen.rows_from(row, rows), lists.rows_from(group * 2 * k, 2 * k));
    }
  });
}

template <class T>
void SimdAnalyses<T>::unit_rows(std::uint64_t seed, std::uint64_t stream, MatrixView<T> out,
                                const Execution& with) const {
  const RandomStream random(seed, stream);
  parallel_for(with.threads, out.rows(),
               [&](std::size_t i) { loops::unit_row(random, i, out.row(i)); });
}

template <class T>
void SimdAnalyses<T>::invert_factor(MatrixView<const T> a, MatrixView<T> inverse,
                                    const Execution&) const {
  checks::factor_fits<T>(a, inverse);
  require(factor_.invert(a, inverse), "a matrix that is not positive definite");
}

template <class T>
void SimdAnalyses<T>::list_units(MatrixView<const T> h, const Walks& walks, bool positive_only,
                                 MatrixView<std::uint32_t> unit, MatrixView<T> value,
                                 const Execution& with) const {
  checks::walks_fit<T>(h, walks, unit, value);
  share(with, unit.cols(), kStep, bytes_of<T>(value), [&](std::size_t first, std::size_t count) {
    for (std::size_t r = first; r < first + count; ++r) {
      loops::list_walk(h, walks, positive_only, r, unit, value);
    }
  });
}

template <class T>
std::size_t SimdAnalyses<T>::list_elements(MatrixView<const T> a, Listed which,
                                           std::span<const std::uint32_t> tags, T factor,
                                           const ElementList<T>& list, const Execution&) const {
  checks::list_fits<T>(a, tags, list);
  return loops::list_elements(a, which, tags, factor, list);
}

template <class T>
void SimdAnalyses<T>::gather_elements(MatrixView<const T> a, const Places& places, std::span<T> out,
                                      const Execution&) const {
  checks::places_fit<T>(a, places, out.size());
  loops::gather_elements(a, places, out);
}

template <class T>
void SimdAnalyses<T>::add_changes(std::span<const T> after, std::span<const T> before,
                                  const Places& places, MatrixView<double> sums,
                                  const Execution&) const {
  checks::changes_fit<T>(after, before, places, sums);
  loops::add_changes(after, before, places, sums);
}

template class SimdAnalyses<float>;
template class SimdAnalyses<double>;

}  // namespace interpscale::kernels
