// Activations and their slopes, and element-wise arithmetic, row by row.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/disabled_targets.hpp"
#include "kernels/simd/kernel_table.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/elementwise.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include <hwy/highway.h>

#include "kernels/simd/activation-inl.h"
#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

/// body(i, j, place) for the vectors of every row of `shape`.
template <class T, class Body>
HWY_INLINE void for_rows(MatrixView<T> shape, const Body& body) {
  for (std::size_t i = 0; i < shape.rows(); ++i) {
    for_vectors<T>(shape.cols(), [&](std::size_t j, auto place) HWY_ATTR { body(i, j, place); });
  }
}

template <class T, class Phi>
void activate_with(Phi phi, MatrixView<const T> z, MatrixView<T> h) {
  for_rows(h, [&](std::size_t i, std::size_t j, auto place) HWY_ATTR {
    place.store(phi.value(place.load(z.row_data(i) + j)), h.row_data(i) + j);
  });
}

template <class T>
void activate(Activation phi, MatrixView<const T> z, MatrixView<T> h) {
  with_activation<T>(phi, [&](auto function) HWY_ATTR { activate_with(function, z, h); });
}

template <class T, class Phi>
void multiply_by_slope_with(Phi phi, MatrixView<const T> h, MatrixView<T> g) {
  for_rows(g, [&](std::size_t i, std::size_t j, auto place) HWY_ATTR {
    T* to = g.row_data(i) + j;
    place.store(phi.times_slope(place.load(to), place.load(h.row_data(i) + j)), to);
  });
}

template <class T>
void multiply_by_slope(Activation phi, MatrixView<const T> h, MatrixView<T> g) {
  with_activation<T>(phi, [&](auto function) HWY_ATTR { multiply_by_slope_with(function, h, g); });
}

template <class T>
void multiply(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out) {
  for_rows(out, [&](std::size_t i, std::size_t j, auto place) HWY_ATTR {
    place.store(hn::Mul(place.load(a.row_data(i) + j), place.load(b.row_data(i) + j)),
                out.row_data(i) + j);
  });
}

template <class T>
void accumulate_path_step(MatrixView<const T> next, MatrixView<const T> now,
                          MatrixView<const T> gradient, MatrixView<T> out) {
  for_rows(out, [&](std::size_t i, std::size_t j, auto place) HWY_ATTR {
    T* to = out.row_data(i) + j;
    const Vector<T> step =
        hn::Sub(place.load(next.row_data(i) + j), place.load(now.row_data(i) + j));
    place.store(hn::MulAdd(step, place.load(gradient.row_data(i) + j), place.load(to)), to);
  });
}

template <class T>
void interpolate(MatrixView<const T> from, MatrixView<const T> to, T t, MatrixView<T> out) {
  const Vector<T> share = hn::Set(Tag<T>(), t);
  for_rows(out, [&](std::size_t i, std::size_t j, auto place) HWY_ATTR {
    const Vector<T> start = place.load(from.row_data(i) + j);
    const Vector<T> way = hn::Sub(place.load(to.row_data(i) + j), start);
    place.store(hn::MulAdd(share, way, start), out.row_data(i) + j);
  });
}

template <class T>
ElementwiseKernels<T> elementwise_kernels() {
  return {activate<T>, multiply_by_slope<T>, multiply<T>, accumulate_path_step<T>, interpolate<T>};
}

void fill_float(ElementwiseKernels<float>& kernels) {
  kernels = elementwise_kernels<float>();
}
void fill_double(ElementwiseKernels<double>& kernels) {
  kernels = elementwise_kernels<double>();
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/simd/dispatch.hpp"

namespace interpscale::kernels::simd {

INTERPSCALE_SELECT(ElementwiseKernels)

}  // namespace interpscale::kernels::simd
#endif
