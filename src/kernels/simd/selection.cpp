// The k largest, of every column or of every row. Lanes are columns, or rows turned on their way:
// each lane keeps a sorted list, and a number is passed up the lists until no lane has to move any
// more. No branch depends on a single number, and most vectors fail the first comparison.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/disabled_targets.hpp"
#include "kernels/simd/kernel_table.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/selection.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include <hwy/highway.h>

#include <algorithm>
#include <limits>

#include "kernels/simd/transpose-inl.h"
#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

/// Sorted lists, one a lane: the r-th best at values[r * stride], its number at numbers[r *
/// number_stride].
template <class T, class Place>
struct Lists {
  T* values;
  T* numbers;
  std::size_t stride;
  std::size_t number_stride;
  std::size_t k;
  Place place;

  HWY_INLINE void clear() const {
    const Tag<T> d;
    for (std::size_t r = 0; r < k; ++r) {
      place.store(hn::Set(d, -std::numeric_limits<T>::infinity()), values + r * stride);
      place.store(hn::Zero(d), numbers + r * number_stride);
    }
  }

  /// From the last place up; a lane that has found its place writes no more. Equal values stay
  /// behind those that came before.
  HWY_INLINE void offer(Vector<T> value, Vector<T> number) const {
    const Tag<T> d;
    std::size_t r = k - 1;
    Vector<T> here = place.load(values + r * stride);
    auto larger = hn::Gt(value, here);
    while (!hn::AllFalse(d, larger)) {
      T* to_value = values + r * stride;
      T* to_number = numbers + r * number_stride;
      if (r == 0) {
        place.store(hn::IfThenElse(larger, value, here), to_value);
        place.store(hn::IfThenElse(larger, number, place.load(to_number)), to_number);
        return;
      }
      const Vector<T> above = place.load(to_value - stride);
      const auto above_too = hn::Gt(value, above);
      const Vector<T> moved = hn::IfThenElse(above_too, above, value);
      const Vector<T> moved_number =
          hn::IfThenElse(above_too, place.load(to_number - number_stride), number);
      place.store(hn::IfThenElse(larger, moved, here), to_value);
      place.store(hn::IfThenElse(larger, moved_number, place.load(to_number)), to_number);
      here = above;
      larger = above_too;
      --r;
    }
  }
};

/// Lists up to here are worked on side by side: those of a wide matrix stand kilobytes apart, and
/// throw each other out of the first-level cache.
constexpr std::size_t kMostNear = 32;

template <class T, class Place, class Load>
HWY_INLINE void offer_rows(const Lists<T, Place>& lists, std::size_t rows, std::size_t first,
                           const Load& load) {
  for (std::size_t i = 0; i < rows; ++i) {
    lists.offer(load(i), hn::Set(Tag<T>(), static_cast<T>(first + i)));
  }
}

template <class T>
void update_largest(MatrixView<const T> a, std::size_t first, MatrixView<T> values,
                    MatrixView<T> numbers) {
  const std::size_t k = values.rows();
  HWY_ALIGN T near_values[kMostNear * kLanes<T>] = {};
  HWY_ALIGN T near_numbers[kMostNear * kLanes<T>] = {};
  for_vectors<T>(a.cols(), [&](std::size_t j, auto place) HWY_ATTR {
    const auto load = [&](std::size_t i) HWY_ATTR { return place.load(a.row_data(i) + j); };
    const Lists<T, decltype(place)> far{values.data() + j,
                                        numbers.data() + j,
                                        values.leading_dimension(),
                                        numbers.leading_dimension(),
                                        k,
                                        place};
    if (k > kMostNear) {
      if (first == 0) {
        far.clear();
      }
      offer_rows<T>(far, a.rows(), first, load);
      return;
    }
    const Lists<T, Whole> near{near_values, near_numbers, kLanes<T>, kLanes<T>, k, Whole()};
    if (first == 0) {
      near.clear();
    }
    for (std::size_t r = 0; r < k && first > 0; ++r) {
      Whole().store(place.load(values.row_data(r) + j), near_values + r * kLanes<T>);
      Whole().store(place.load(numbers.row_data(r) + j), near_numbers + r * kLanes<T>);
    }
    offer_rows<T>(near, a.rows(), first, load);
    for (std::size_t r = 0; r < k; ++r) {
      place.store(Whole().load(near_values + r * kLanes<T>), values.row_data(r) + j);
      place.store(Whole().load(near_numbers + r * kLanes<T>), numbers.row_data(r) + j);
    }
  });
}

/// kept := what is above the last of the row's list, or equal and not behind it; 0 elsewhere.
template <class T>
HWY_INLINE void keep_row(T threshold, T last, std::span<const T> row, T* kept, T* chosen) {
  const Tag<T> d;
  const Vector<T> least = hn::Set(d, threshold);
  const Vector<T> last_number = hn::Set(d, last);
  for_vectors<T>(row.size(), [&](std::size_t j, auto place) HWY_ATTR {
    const Vector<T> value = place.load(row.data() + j);
    const auto equal =
        hn::And(hn::Eq(value, least), hn::Le(hn::Iota(d, static_cast<T>(j)), last_number));
    const auto large = hn::Or(hn::Gt(value, least), equal);
    place.store(hn::IfThenElseZero(large, value), kept + j);
    place.store(hn::IfThenElseZero(large, hn::Set(d, T{1})), chosen + j);
  });
}

template <class T>
void keep_largest(std::size_t k, MatrixView<const T> a, MatrixView<T> kept, MatrixView<T> chosen,
                  MatrixView<T> lists) {
  constexpr std::size_t kColumnsAtATime = 64;
  HWY_ALIGN T turned[kColumnsAtATime * kLanes<T>] = {};
  const Lists<T, Whole> best{
      lists.data(), lists.row_data(k), lists.leading_dimension(), lists.leading_dimension(), k,
      Whole()};
  best.clear();
  for (std::size_t first = 0; first < a.cols(); first += kColumnsAtATime) {
    const std::size_t count = std::min(kColumnsAtATime, a.cols() - first);
    transpose_matrix(a.data() + first, a.leading_dimension(), a.rows(), count, turned, kLanes<T>);
    offer_rows<T>(best, count, first, [&](std::size_t c) HWY_ATTR {
      return hn::Load(Tag<T>(), turned + c * kLanes<T>);
    });
  }
  for (std::size_t i = 0; i < a.rows(); ++i) {
    keep_row<T>(lists(k - 1, i), lists(2 * k - 1, i), a.row(i), kept.row_data(i),
                chosen.row_data(i));
  }
}

template <class T>
SelectionKernels<T> selection_kernels() {
  return {kLanes<T>, update_largest<T>, keep_largest<T>};
}

void fill_float(SelectionKernels<float>& kernels) {
  kernels = selection_kernels<float>();
}
void fill_double(SelectionKernels<double>& kernels) {
  kernels = selection_kernels<double>();
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/simd/dispatch.hpp"

namespace interpscale::kernels::simd {

INTERPSCALE_SELECT(SelectionKernels)

}  // namespace interpscale::kernels::simd
#endif
