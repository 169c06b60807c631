// Optimizer steps: one pass over gradient, state and weights.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/disabled_targets.hpp"
#include "kernels/simd/kernel_table.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/optimizers.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include <hwy/highway.h>

#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

template <class T>
void sgd(const SgdStep<T>& step, std::span<const T> gradient, std::span<T> velocity,
         std::span<T> weights) {
  const Tag<T> d;
  const Vector<T> momentum = hn::Set(d, step.momentum);
  const Vector<T> rate = hn::Set(d, step.rate);
  for_vectors<T>(weights.size(), [&](std::size_t j, auto place) HWY_ATTR {
    T* v = velocity.data() + j;
    T* w = weights.data() + j;
    const Vector<T> moved = hn::MulAdd(momentum, place.load(v), place.load(gradient.data() + j));
    place.store(moved, v);
    place.store(hn::NegMulAdd(rate, moved, place.load(w)), w);
  });
}

template <class T>
void adam(const AdamStep<T>& step, const AdamFactors<T>& factors, std::span<const T> gradient,
          std::span<T> first, std::span<T> second, std::span<T> weights) {
  const Tag<T> d;
  const Vector<T> beta1 = hn::Set(d, step.beta1);
  const Vector<T> beta2 = hn::Set(d, step.beta2);
  const Vector<T> share1 = hn::Set(d, T{1} - step.beta1);
  const Vector<T> share2 = hn::Set(d, T{1} - step.beta2);
  const Vector<T> rate = hn::Set(d, factors.rate);
  const Vector<T> correction = hn::Set(d, factors.second_correction);
  const Vector<T> epsilon = hn::Set(d, step.epsilon);
  for_vectors<T>(weights.size(), [&](std::size_t j, auto place) HWY_ATTR {
    const Vector<T> g = place.load(gradient.data() + j);
    const Vector<T> m = hn::MulAdd(share1, g, hn::Mul(beta1, place.load(first.data() + j)));
    const Vector<T> v =
        hn::MulAdd(hn::Mul(share2, g), g, hn::Mul(beta2, place.load(second.data() + j)));
    place.store(m, first.data() + j);
    place.store(v, second.data() + j);
    const Vector<T> scale = hn::Add(hn::Sqrt(hn::Div(v, correction)), epsilon);
    T* w = weights.data() + j;
    place.store(hn::Sub(place.load(w), hn::Div(hn::Mul(rate, m), scale)), w);
  });
}

template <class T>
OptimizerKernels<T> optimizer_kernels() {
  return {sgd<T>, adam<T>};
}

void fill_float(OptimizerKernels<float>& kernels) {
  kernels = optimizer_kernels<float>();
}
void fill_double(OptimizerKernels<double>& kernels) {
  kernels = optimizer_kernels<double>();
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/simd/dispatch.hpp"

namespace interpscale::kernels::simd {

INTERPSCALE_SELECT(OptimizerKernels)

}  // namespace interpscale::kernels::simd
#endif
