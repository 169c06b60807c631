// Whole rows moved: the restarts of a suffix sweep, and transposition.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/disabled_targets.hpp"
#include "kernels/simd/kernel_table.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/rows.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include <hwy/highway.h>

#include <limits>

#include "kernels/simd/transpose-inl.h"
#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

template <class T>
void rank_one(MatrixView<const T> z, MatrixView<const T> columns, const SparseRows<T>& rows,
              bool relu, MatrixView<T> out) {
  const Tag<T> d;
  // One maximum either way: with zero for ReLU, with minus infinity for none.
  const Vector<T> floor = hn::Set(d, relu ? T{0} : -std::numeric_limits<T>::infinity());
  for (std::size_t r = 0; r < out.rows(); ++r) {
    const T* base = z.row_data(rows.sample[r]);
    const T* column = columns.row_data(rows.unit[r]);
    const Vector<T> delta = hn::Set(d, rows.delta[r]);
    T* to = out.row_data(r);
    for_vectors<T>(out.cols(), [&](std::size_t j, auto place) HWY_ATTR {
      const Vector<T> value = hn::MulAdd(delta, place.load(column + j), place.load(base + j));
      place.store(hn::Max(floor, value), to + j);
    });
  }
}

template <class T>
void transpose(MatrixView<const T> a, MatrixView<T> out) {
  transpose_matrix(a.data(), a.leading_dimension(), a.rows(), a.cols(), out.data(),
                   out.leading_dimension());
}

template <class T>
RowKernels<T> row_kernels() {
  return {rank_one<T>, transpose<T>};
}

void fill_float(RowKernels<float>& kernels) {
  kernels = row_kernels<float>();
}
void fill_double(RowKernels<double>& kernels) {
  kernels = row_kernels<double>();
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/simd/dispatch.hpp"

namespace interpscale::kernels::simd {

INTERPSCALE_SELECT(RowKernels)

}  // namespace interpscale::kernels::simd
#endif
