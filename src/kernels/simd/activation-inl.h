// The activations on vectors. Re-included once per target.
// SPDX-License-Identifier: Apache-2.0
#if defined(INTERPSCALE_KERNELS_SIMD_ACTIVATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INTERPSCALE_KERNELS_SIMD_ACTIVATION_INL_H_
#undef INTERPSCALE_KERNELS_SIMD_ACTIVATION_INL_H_
#else
#define INTERPSCALE_KERNELS_SIMD_ACTIVATION_INL_H_
#endif

#include <hwy/contrib/math/math-inl.h>

#include "interpscale/kernels/activation.hpp"
#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

/// Maxima have the number second: x86 then hands on a NaN, and a diverged network shows.
/// value(z) = phi(z), slope(h) = phi'(z), times_slope(g, h) = g phi'(z).
template <class T>
struct Relu {
  HWY_INLINE Vector<T> value(Vector<T> z) const { return hn::Max(hn::Zero(Tag<T>()), z); }
  HWY_INLINE Vector<T> slope(Vector<T> h) const { return times_slope(hn::Set(Tag<T>(), T{1}), h); }
  HWY_INLINE Vector<T> times_slope(Vector<T> g, Vector<T> h) const {
    return hn::IfThenElseZero(hn::Gt(h, hn::Zero(Tag<T>())), g);
  }
};

template <class T>
struct Softplus {
  /// max(z, 0) + log(1 + exp(-|z|)): neither overflows nor loses a small exponential beside 1.
  HWY_INLINE Vector<T> value(Vector<T> z) const {
    const Tag<T> d;
    const Vector<T> exponential = hn::Exp(d, hn::Neg(hn::Abs(z)));
    return hn::Add(hn::Max(hn::Zero(d), z), hn::Log1p(d, exponential));
  }
  HWY_INLINE Vector<T> slope(Vector<T> h) const { return hn::Neg(hn::Expm1(Tag<T>(), hn::Neg(h))); }
  HWY_INLINE Vector<T> times_slope(Vector<T> g, Vector<T> h) const { return hn::Mul(g, slope(h)); }
};

template <class T>
struct Tanh {
  HWY_INLINE Vector<T> value(Vector<T> z) const { return hn::Tanh(Tag<T>(), z); }
  HWY_INLINE Vector<T> slope(Vector<T> h) const {
    return hn::NegMulAdd(h, h, hn::Set(Tag<T>(), T{1}));
  }
  HWY_INLINE Vector<T> times_slope(Vector<T> g, Vector<T> h) const { return hn::Mul(g, slope(h)); }
};

/// body(the activation as one of the types above).
template <class T, class Body>
HWY_INLINE void with_activation(Activation phi, const Body& body) {
  switch (phi) {
    case Activation::kRelu:
      body(Relu<T>());
      return;
    case Activation::kSoftplus:
      body(Softplus<T>());
      return;
    case Activation::kTanh:
      body(Tanh<T>());
      return;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#endif
