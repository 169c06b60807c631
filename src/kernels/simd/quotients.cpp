// Changes times gradients, and quotients in the place of slopes.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/disabled_targets.hpp"
#include "kernels/simd/kernel_table.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/quotients.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include <hwy/highway.h>

#include "kernels/simd/activation-inl.h"
#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

/// Row i of a matrix that may have one row for all.
template <class T>
HWY_INLINE const T* row_or_first(MatrixView<const T> a, std::size_t i) {
  return a.row_data(a.rows() == 1 ? 0 : i);
}

template <class T>
void multiply_change(MatrixView<const T> next, MatrixView<const T> now,
                     MatrixView<const T> gradient, MatrixView<T> out) {
  for (std::size_t i = 0; i < out.rows(); ++i) {
    const T* to_next = next.row_data(i);
    const T* from = row_or_first(now, i);
    if (gradient.empty()) {
      for_vectors<T>(out.cols(), [&](std::size_t j, auto place) HWY_ATTR {
        place.store(hn::Sub(place.load(to_next + j), place.load(from + j)), out.row_data(i) + j);
      });
      continue;
    }
    const T* factors = row_or_first(gradient, i);
    for_vectors<T>(out.cols(), [&](std::size_t j, auto place) HWY_ATTR {
      const Vector<T> change = hn::Sub(place.load(to_next + j), place.load(from + j));
      place.store(hn::Mul(change, place.load(factors + j)), out.row_data(i) + j);
    });
  }
}

template <class T>
void multiply_by_ratio(const Ratio<T>& ratio, MatrixView<T> g) {
  const Tag<T> d;
  const Vector<T> epsilon = hn::Set(d, ratio.epsilon);
  for (std::size_t i = 0; i < g.rows(); ++i) {
    T* to = g.row_data(i);
    for_vectors<T>(g.cols(), [&](std::size_t j, auto place) HWY_ATTR {
      const Vector<T> raw = place.load(ratio.denominator.row_data(i) + j);
      const Vector<T> denominator =
          hn::IfThenElse(hn::Lt(raw, hn::Zero(d)), hn::Sub(raw, epsilon), hn::Add(raw, epsilon));
      const Vector<T> quotient = hn::Div(place.load(ratio.numerator.row_data(i) + j), denominator);
      place.store(hn::Mul(place.load(to + j), quotient), to + j);
    });
  }
}

/// Both the secant and the slope halfway, then the one that holds: no branch.
template <class T, class Phi>
void multiply_by_secants_with(Phi phi, const Secants<T>& secants, MatrixView<T> g) {
  const Tag<T> d;
  const Vector<T> smallest = hn::Set(d, secants.smallest);
  const Vector<T> half = hn::Set(d, static_cast<T>(0.5));
  for (std::size_t i = 0; i < g.rows(); ++i) {
    const T* from_z = row_or_first(secants.from_z, i);
    const T* from_h = row_or_first(secants.from_h, i);
    T* to = g.row_data(i);
    for_vectors<T>(g.cols(), [&](std::size_t j, auto place) HWY_ATTR {
      const Vector<T> from = place.load(from_z + j);
      const Vector<T> span = hn::Sub(place.load(secants.z.row_data(i) + j), from);
      const Vector<T> rise = hn::Sub(place.load(secants.h.row_data(i) + j), place.load(from_h + j));
      const Vector<T> slope = phi.slope(phi.value(hn::MulAdd(half, span, from)));
      const Vector<T> quotient =
          hn::IfThenElse(hn::Lt(hn::Abs(span), smallest), slope, hn::Div(rise, span));
      place.store(hn::Mul(place.load(to + j), quotient), to + j);
    });
  }
}

template <class T>
void multiply_by_secants(Activation phi, const Secants<T>& secants, MatrixView<T> g) {
  with_activation<T>(
      phi, [&](auto function) HWY_ATTR { multiply_by_secants_with(function, secants, g); });
}

template <class T>
void scale_columns(std::span<const T> factors, MatrixView<const T> a, MatrixView<T> out) {
  for (std::size_t i = 0; i < out.rows(); ++i) {
    for_vectors<T>(out.cols(), [&](std::size_t j, auto place) HWY_ATTR {
      place.store(hn::Mul(place.load(factors.data() + j), place.load(a.row_data(i) + j)),
                  out.row_data(i) + j);
    });
  }
}

template <class T>
QuotientKernels<T> quotient_kernels() {
  return {multiply_change<T>, multiply_by_ratio<T>, multiply_by_secants<T>, scale_columns<T>};
}

void fill_float(QuotientKernels<float>& kernels) {
  kernels = quotient_kernels<float>();
}
void fill_double(QuotientKernels<double>& kernels) {
  kernels = quotient_kernels<double>();
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/simd/dispatch.hpp"

namespace interpscale::kernels::simd {

INTERPSCALE_SELECT(QuotientKernels)

}  // namespace interpscale::kernels::simd
#endif
