// Small Cholesky factors and their inverses, in double precision. Rows of L^T, and of the inverse,
// are vectors: an update by one row of L^T serves all columns to its right.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/disabled_targets.hpp"
#include "kernels/simd/kernel_table.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/factor.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include <hwy/highway.h>

#include <cmath>

#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

using Square = double[kLargestFactor][kLargestFactor];
static_assert(kLargestFactor * sizeof(double) % kCacheLineBytes == 0);

/// row := row - factor * other on columns [first, kLargestFactor), first rounded down to a vector.
HWY_INLINE void subtract_multiple(double factor, const double* other, std::size_t first,
                                  double* row) {
  const Tag<double> d;
  const Vector<double> multiple = hn::Set(d, factor);
  for (std::size_t j = first / kLanes<double> * kLanes<double>; j < kLargestFactor;
       j += kLanes<double>) {
    hn::Store(hn::NegMulAdd(multiple, hn::Load(d, other + j), hn::Load(d, row + j)), d, row + j);
  }
}

HWY_INLINE void scale_row(double factor, double* row) {
  const Tag<double> d;
  for (std::size_t j = 0; j < kLargestFactor; j += kLanes<double>) {
    hn::Store(hn::Mul(hn::Set(d, factor), hn::Load(d, row + j)), d, row + j);
  }
}

/// upper: a's lower triangle, transposed; becomes L^T, and inverse the rows of L^-1.
HWY_INLINE bool invert_square(std::size_t n, Square& upper, Square& inverse) {
  for (std::size_t j = 0; j < n; ++j) {
    if (!(upper[j][j] > 0.0)) {
      return false;
    }
    const double inverse_pivot = 1.0 / std::sqrt(upper[j][j]);
    scale_row(inverse_pivot, upper[j]);
    scale_row(inverse_pivot, inverse[j]);
    for (std::size_t i = j + 1; i < n; ++i) {
      subtract_multiple(upper[j][i], upper[j], i, upper[i]);
      subtract_multiple(upper[j][i], inverse[j], 0, inverse[i]);
    }
  }
  return true;
}

template <class T>
bool invert(MatrixView<const T> a, MatrixView<T> inverse) {
  HWY_ALIGN Square upper = {};
  HWY_ALIGN Square result = {};
  const std::size_t n = a.rows();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      upper[j][i] = static_cast<double>(a(i, j));
    }
    result[i][i] = 1.0;
  }
  if (!invert_square(n, upper, result)) {
    return false;
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      inverse(i, j) = static_cast<T>(j <= i ? result[i][j] : 0.0);
    }
  }
  return true;
}

template <class T>
FactorKernels<T> factor_kernels() {
  return {invert<T>};
}

void fill_float(FactorKernels<float>& kernels) {
  kernels = factor_kernels<float>();
}
void fill_double(FactorKernels<double>& kernels) {
  kernels = factor_kernels<double>();
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/simd/dispatch.hpp"

namespace interpscale::kernels::simd {

INTERPSCALE_SELECT(FactorKernels)

}  // namespace interpscale::kernels::simd
#endif
