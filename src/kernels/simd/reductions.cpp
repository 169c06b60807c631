// Sums down the columns: a strip of columns stays in registers while the rows go by, so that rows
// are added in their order.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/disabled_targets.hpp"
#include "kernels/simd/kernel_table.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/reductions.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include <hwy/highway.h>

#include "kernels/simd/strips-inl.h"
#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

template <class T>
void column_sums(MatrixView<const T> a, T beta, std::span<T> out) {
  for_strips<T>(a.cols(), [&](std::size_t first, auto strip) HWY_ATTR {
    strip.clear();
    for (std::size_t i = 0; i < a.rows(); ++i) {
      strip.add(a.row_data(i) + first, [](Vector<T> x) HWY_ATTR { return x; });
    }
    strip.finish([&](std::size_t offset, Vector<T> sum, auto place) HWY_ATTR {
      T* to = out.data() + first + offset;
      place.store(beta == T{0} ? sum : hn::MulAdd(hn::Set(Tag<T>(), beta), place.load(to), sum),
                  to);
    });
  });
}

template <class T>
void column_moments(MatrixView<const T> a, const ColumnMoments<T>& out) {
  const Tag<T> d;
  const Vector<T> rows = hn::Set(d, static_cast<T>(a.rows()));
  for_strips<T>(a.cols(), [&](std::size_t first, auto strip) HWY_ATTR {
    const auto share_into = [&](std::span<T> to) HWY_ATTR {
      strip.finish([&](std::size_t offset, Vector<T> sum, auto place)
                       HWY_ATTR { place.store(hn::Div(sum, rows), to.data() + first + offset); });
    };
    strip.clear();
    for (std::size_t i = 0; i < a.rows(); ++i) {
      strip.add(a.row_data(i) + first, [](Vector<T> x) HWY_ATTR { return x; });
    }
    share_into(out.mean);
    strip.clear();
    for (std::size_t i = 0; i < a.rows(); ++i) {
      strip.add_pair(a.row_data(i) + first, out.mean.data() + first,
                     [](Vector<T> x, Vector<T> mean, Vector<T> sum) HWY_ATTR {
                       const Vector<T> deviation = hn::Sub(x, mean);
                       return hn::MulAdd(deviation, deviation, sum);
                     });
    }
    share_into(out.variance);
    strip.clear();
    for (std::size_t i = 0; i < a.rows(); ++i) {
      strip.add(a.row_data(i) + first, [d](Vector<T> x) HWY_ATTR {
        return hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), hn::Set(d, T{1}));
      });
    }
    share_into(out.positive_fraction);
  });
}

template <class T>
ReductionKernels<T> reduction_kernels() {
  return {column_sums<T>, column_moments<T>};
}

void fill_float(ReductionKernels<float>& kernels) {
  kernels = reduction_kernels<float>();
}
void fill_double(ReductionKernels<double>& kernels) {
  kernels = reduction_kernels<double>();
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/simd/dispatch.hpp"

namespace interpscale::kernels::simd {

INTERPSCALE_SELECT(ReductionKernels)

}  // namespace interpscale::kernels::simd
#endif
