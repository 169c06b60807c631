// Counts by class, and what they tell about it.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/disabled_targets.hpp"
#include "kernels/simd/kernel_table.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/tallies.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <algorithm>
#include <numeric>

#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

template <class T>
void count_positive(MatrixView<const T> h, std::span<const std::uint32_t> labels, bool accumulate,
                    MatrixView<T> counts) {
  const Tag<T> d;
  for (std::size_t c = 0; c < counts.rows() && !accumulate; ++c) {
    std::fill_n(counts.row_data(c), counts.cols(), T{0});
  }
  for (std::size_t b = 0; b < h.rows(); ++b) {
    const T* from = h.row_data(b);
    T* to = counts.row_data(labels[b]);
    for_vectors<T>(h.cols(), [&](std::size_t j, auto place) HWY_ATTR {
      const Vector<T> one =
          hn::IfThenElseZero(hn::Gt(place.load(from + j), hn::Zero(d)), hn::Set(d, T{1}));
      place.store(hn::Add(place.load(to + j), one), to + j);
    });
  }
}

/// joint log(joint total / (marginal of_class)) / total; 0 for nothing.
template <class T>
HWY_INLINE Vector<T> information(Vector<T> joint, Vector<T> marginal, Vector<T> of_class,
                                 Vector<T> total) {
  const Tag<T> d;
  const Vector<T> quotient = hn::Div(hn::Mul(joint, total), hn::Mul(marginal, of_class));
  const Vector<T> term = hn::Mul(hn::Div(joint, total), hn::Log(d, quotient));
  return hn::IfThenElseZero(hn::Gt(joint, hn::Zero(d)), term);
}

template <class T>
void mutual_information(MatrixView<const T> active, std::span<const T> samples, std::span<T> out) {
  const Tag<T> d;
  const Vector<T> total = hn::Set(d, std::accumulate(samples.begin(), samples.end(), T{0}));
  for_vectors<T>(out.size(), [&](std::size_t j, auto place) HWY_ATTR {
    Vector<T> on = hn::Zero(d);
    for (std::size_t c = 0; c < samples.size(); ++c) {
      on = hn::Add(on, place.load(active.row_data(c) + j));
    }
    Vector<T> sum = hn::Zero(d);
    for (std::size_t c = 0; c < samples.size(); ++c) {
      const Vector<T> of_class = hn::Set(d, samples[c]);
      const Vector<T> joint = place.load(active.row_data(c) + j);
      sum = hn::Add(sum, information<T>(joint, on, of_class, total));
      sum = hn::Add(sum,
                    information<T>(hn::Sub(of_class, joint), hn::Sub(total, on), of_class, total));
    }
    place.store(hn::Max(sum, hn::Zero(d)), out.data() + j);
  });
}

template <class T>
TallyKernels<T> tally_kernels() {
  return {count_positive<T>, mutual_information<T>};
}

void fill_float(TallyKernels<float>& kernels) {
  kernels = tally_kernels<float>();
}
void fill_double(TallyKernels<double>& kernels) {
  kernels = tally_kernels<double>();
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/simd/dispatch.hpp"

namespace interpscale::kernels::simd {

INTERPSCALE_SELECT(TallyKernels)

}  // namespace interpscale::kernels::simd
#endif
