// A strip: some neighbouring columns' sums in registers. Re-included once per target.
// SPDX-License-Identifier: Apache-2.0
#if defined(INTERPSCALE_KERNELS_SIMD_STRIPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INTERPSCALE_KERNELS_SIMD_STRIPS_INL_H_
#undef INTERPSCALE_KERNELS_SIMD_STRIPS_INL_H_
#else
#define INTERPSCALE_KERNELS_SIMD_STRIPS_INL_H_
#endif

#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

// Eight sums hide an addition's latency and take whole cache lines of a row.
constexpr std::size_t kStripVectors = 8;

/// Sums of kVectors vectors of columns, loaded and stored through `Place` (Part: one vector only).
template <class T, std::size_t kVectors, class Place>
struct Strip {
  Place place;
  Vector<T> sums[kVectors];

  HWY_INLINE void clear() {
    unroll<kVectors>([&](auto v) HWY_ATTR { sums[v] = hn::Zero(Tag<T>()); });
  }
  /// sums += f(row)
  template <class Function>
  HWY_INLINE void add(const T* row, const Function& f) {
    unroll<kVectors>(
        [&](auto v) HWY_ATTR { sums[v] = hn::Add(sums[v], f(place.load(row + v * kLanes<T>))); });
  }
  /// sums := f(row, other, sums)
  template <class Function>
  HWY_INLINE void add_pair(const T* row, const T* other, const Function& f) {
    unroll<kVectors>([&](auto v) HWY_ATTR {
      sums[v] = f(place.load(row + v * kLanes<T>), place.load(other + v * kLanes<T>), sums[v]);
    });
  }
  /// body(offset of the column, sums, place)
  template <class Body>
  HWY_INLINE void finish(const Body& body) const {
    unroll<kVectors>([&](auto v) HWY_ATTR { body(v * kLanes<T>, sums[v], place); });
  }
};

/// body(first column, strip) until all `cols` columns are covered.
template <class T, class Body>
HWY_INLINE void for_strips(std::size_t cols, const Body& body) {
  constexpr std::size_t kWide = kStripVectors * kLanes<T>;
  std::size_t first = 0;
  for (; first + kWide <= cols; first += kWide) {
    body(first, Strip<T, kStripVectors, Whole>{});
  }
  for_vectors<T>(cols - first, [&](std::size_t offset, auto place) HWY_ATTR {
    body(first + offset, Strip<T, 1, decltype(place)>{place, {}});
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#endif
