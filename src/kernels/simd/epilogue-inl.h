// What happens to a vector of a product before it is stored. Re-included once per target.
// SPDX-License-Identifier: Apache-2.0
#if defined(INTERPSCALE_KERNELS_SIMD_EPILOGUE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INTERPSCALE_KERNELS_SIMD_EPILOGUE_INL_H_
#undef INTERPSCALE_KERNELS_SIMD_EPILOGUE_INL_H_
#else
#define INTERPSCALE_KERNELS_SIMD_EPILOGUE_INL_H_
#endif

#include "kernels/simd/kernel_table.hpp"
#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

/// The epilogue of one vector of C's row i, columns from `column` on.
template <class T, class Place>
HWY_INLINE void store_vector(Vector<T> value, std::size_t i, std::size_t column,
                             const TargetBlock<T>& c, const Place& place) {
  const Tag<T> d;
  T* to = c.data + i * c.stride + column;
  if (c.plain) {
    place.store(value, to);
    return;
  }
  value = hn::Mul(value, hn::Set(d, c.alpha));
  if (c.beta != T{0}) {
    value = hn::MulAdd(hn::Set(d, c.beta), place.load(to), value);
  }
  if (c.bias != nullptr) {
    value = hn::Add(value, place.load(c.bias + column));
  }
  if (c.relu) {
    value = hn::Max(hn::Zero(d), value);
  }
  if (c.mask != nullptr) {
    const Vector<T> mask = place.load(c.mask + i * c.mask_stride + column);
    value = hn::IfThenElseZero(hn::Gt(mask, hn::Zero(d)), value);
  }
  place.store(value, to);
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#endif
