// Jacobians of all units at once: a unit's row holds, sample after sample, its derivatives by the
// inputs.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/disabled_targets.hpp"
#include "kernels/simd/kernel_table.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/jacobian.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/simd/activation-inl.h"
#include "kernels/simd/strips-inl.h"
#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

/// body(sample, slope of unit j on that sample) for all samples; slopes are computed by vectors.
template <class T, class Phi, class Body>
HWY_INLINE void for_slopes(Phi phi, MatrixView<const T> h, std::size_t unit, const Body& body) {
  const Tag<T> d;
  HWY_ALIGN T slopes[kLanes<T>] = {};
  for (std::size_t first = 0; first < h.rows(); first += kLanes<T>) {
    const std::size_t count = std::min(kLanes<T>, h.rows() - first);
    for (std::size_t s = 0; s < count; ++s) {
      slopes[s] = h(first + s, unit);
    }
    hn::Store(phi.slope(hn::Load(d, slopes)), d, slopes);
    for (std::size_t s = 0; s < count; ++s) {
      body(first + s, slopes[s]);
    }
  }
}

template <class T, class Phi>
void scale_with(Phi phi, MatrixView<const T> h, std::size_t inputs, MatrixView<T> jacobian) {
  for (std::size_t unit = 0; unit < jacobian.rows(); ++unit) {
    T* row = jacobian.row_data(unit);
    for_slopes(phi, h, unit, [&](std::size_t sample, T slope) HWY_ATTR {
      T* segment = row + sample * inputs;
      if (slope == T{1}) {
        return;
      }
      if (slope == T{0}) {
        std::fill_n(segment, inputs, T{0});
        return;
      }
      const Vector<T> factor = hn::Set(Tag<T>(), slope);
      for_vectors<T>(inputs, [&](std::size_t i, auto place) HWY_ATTR {
        place.store(hn::Mul(factor, place.load(segment + i)), segment + i);
      });
    });
  }
}

template <class T>
void scale(Activation phi, MatrixView<const T> h, std::size_t inputs, MatrixView<T> jacobian) {
  with_activation<T>(phi,
                     [&](auto function) HWY_ATTR { scale_with(function, h, inputs, jacobian); });
}

template <class T, class Phi>
void first_with(Phi phi, MatrixView<const T> h, MatrixView<const T> weights,
                MatrixView<T> jacobian) {
  const std::size_t inputs = weights.cols();
  for (std::size_t unit = 0; unit < jacobian.rows(); ++unit) {
    const T* weight = weights.row_data(unit);
    T* row = jacobian.row_data(unit);
    for_slopes(phi, h, unit, [&](std::size_t sample, T slope) HWY_ATTR {
      T* segment = row + sample * inputs;
      const Vector<T> factor = hn::Set(Tag<T>(), slope);
      for_vectors<T>(inputs, [&](std::size_t i, auto place) HWY_ATTR {
        place.store(hn::Mul(factor, place.load(weight + i)), segment + i);
      });
    });
  }
}

template <class T>
void first(Activation phi, MatrixView<const T> h, MatrixView<const T> weights,
           MatrixView<T> jacobian) {
  with_activation<T>(phi,
                     [&](auto function) HWY_ATTR { first_with(function, h, weights, jacobian); });
}

template <class T>
void accumulate(MatrixView<const T> jacobian, T scale, bool absolute, MatrixView<T> out) {
  const std::size_t inputs = out.cols();
  const Vector<T> factor = hn::Set(Tag<T>(), scale);
  for (std::size_t unit = 0; unit < out.rows(); ++unit) {
    const T* row = jacobian.row_data(unit);
    const T* end = row + jacobian.cols();
    for_strips<T>(inputs, [&](std::size_t first_input, auto strip) HWY_ATTR {
      strip.clear();
      if (absolute) {
        for (const T* segment = row; segment < end; segment += inputs) {
          strip.add(segment + first_input, [](Vector<T> x) HWY_ATTR { return hn::Abs(x); });
        }
      } else {
        for (const T* segment = row; segment < end; segment += inputs) {
          strip.add(segment + first_input, [](Vector<T> x) HWY_ATTR { return x; });
        }
      }
      strip.finish([&](std::size_t offset, Vector<T> sum, auto place) HWY_ATTR {
        T* to = out.row_data(unit) + first_input + offset;
        place.store(hn::MulAdd(factor, sum, place.load(to)), to);
      });
    });
  }
}

template <class T>
JacobianKernels<T> jacobian_kernels() {
  return {scale<T>, first<T>, accumulate<T>};
}

void fill_float(JacobianKernels<float>& kernels) {
  kernels = jacobian_kernels<float>();
}
void fill_double(JacobianKernels<double>& kernels) {
  kernels = jacobian_kernels<double>();
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/simd/dispatch.hpp"

namespace interpscale::kernels::simd {

INTERPSCALE_SELECT(JacobianKernels)

}  // namespace interpscale::kernels::simd
#endif
