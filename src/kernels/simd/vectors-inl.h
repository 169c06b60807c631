// Vectors in part, and loops unrolled at compile time: what every kernel of this folder needs.
// Re-included once per target.
// SPDX-License-Identifier: Apache-2.0
#if defined(INTERPSCALE_KERNELS_SIMD_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INTERPSCALE_KERNELS_SIMD_VECTORS_INL_H_
#undef INTERPSCALE_KERNELS_SIMD_VECTORS_INL_H_
#else
#define INTERPSCALE_KERNELS_SIMD_VECTORS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <utility>

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using Tag = hn::ScalableTag<T>;
template <class T>
using Vector = hn::Vec<Tag<T>>;

template <class T>
constexpr std::size_t kLanes = hn::MaxLanes(Tag<T>());

/// body(0), ..., body(kCount - 1), each index a compile-time constant: arrays of vectors are
/// indexed by constants only, else GCC keeps them in memory.
template <std::size_t... kIndices, class Body>
HWY_INLINE void unroll(std::index_sequence<kIndices...>, const Body& body) {
  (body(std::integral_constant<std::size_t, kIndices>()), ...);
}
template <std::size_t kCount, class Body>
HWY_INLINE void unroll(const Body& body) {
  unroll(std::make_index_sequence<kCount>(), body);
}

/// The first `count` (less than a vector) numbers at `from`, and zeros behind; nothing else is
/// read.
template <class T>
HWY_INLINE Vector<T> load_first(const T* from, std::size_t count) {
  const Tag<T> d;
#if HWY_MEM_OPS_MIGHT_FAULT && HWY_TARGET != HWY_AVX2  // AVX2's masked moves never fault
  HWY_ALIGN T lanes[kLanes<T>] = {};
  for (std::size_t i = 0; i < count; ++i) {
    lanes[i] = from[i];
  }
  return hn::Load(d, lanes);
#else
  return hn::MaskedLoad(hn::FirstN(d, count), d, from);
#endif
}

/// Stores the first `count` lanes; nothing else is written.
template <class T>
HWY_INLINE void store_first(Vector<T> vector, T* to, std::size_t count) {
  const Tag<T> d;
#if HWY_MEM_OPS_MIGHT_FAULT && HWY_TARGET != HWY_AVX2  // AVX2's masked moves never fault
  HWY_ALIGN T lanes[kLanes<T>];
  hn::Store(vector, d, lanes);
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = lanes[i];
  }
#else
  hn::BlendedStore(vector, hn::FirstN(d, count), d, to);
#endif
}

/// A place in memory that is loaded and stored by whole vectors.
struct Whole {
  template <class T>
  HWY_INLINE Vector<T> load(const T* from) const {
    return hn::LoadU(Tag<T>(), from);
  }
  template <class T>
  HWY_INLINE void store(Vector<T> vector, T* to) const {
    hn::StoreU(vector, Tag<T>(), to);
  }
};

/// ... or by the first lanes of one.
struct Part {
  std::size_t count;
  template <class T>
  HWY_INLINE Vector<T> load(const T* from) const {
    return load_first(from, count);
  }
  template <class T>
  HWY_INLINE void store(Vector<T> vector, T* to) const {
    store_first(vector, to, count);
  }
};

/// body(j, Whole) for every whole vector in [0, count), then body(j, Part) for what is left.
template <class T, class Body>
HWY_INLINE void for_vectors(std::size_t count, const Body& body) {
  std::size_t j = 0;
  for (; j + kLanes<T> <= count; j += kLanes<T>) {
    body(j, Whole());
  }
  if (j < count) {
    body(j, Part{count - j});
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#endif
