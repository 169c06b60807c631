// Products with few rows or columns: passes over the many, and what is done with their sums.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/disabled_targets.hpp"
#include "kernels/simd/kernel_table.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/few.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/simd/epilogue-inl.h"
#include "kernels/simd/few-inl.h"
#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

/// A piece of C: `few` of the few from `first_few` on, `many` of the many from `first_many` on.
struct Piece {
  std::size_t few;
  std::size_t many;
  std::size_t first_few;
  std::size_t first_many;
};

/// The few are C's rows.
template <class T>
void store_few(const T* sums, const Piece& piece, const TargetBlock<T>& c) {
  for (std::size_t i = 0; i < piece.few; ++i) {
    for_vectors<T>(piece.many, [&](std::size_t j, auto place) HWY_ATTR {
      store_vector<T>(hn::LoadU(Tag<T>(), sums + i * kMostMany<T> + j), piece.first_few + i,
                      piece.first_many + j, c, place);
    });
  }
}

/// The few are C's columns. Reads whole vectors of the few.
template <class T>
void store_few_turned(const T* sums, const Piece& piece, const TargetBlock<T>& c) {
  const Tag<T> d;
  for (std::size_t j = 0; j < piece.many; j += kQuad<T>) {
    for_vectors<T>(piece.few, [&](std::size_t i, auto place) HWY_ATTR {
      Vector<T> rows[1][kQuad<T>];
      load_turned<Tag<T>, 1>(
          d, [&](std::size_t lane) HWY_ATTR { return sums + (i + lane) * kMostMany<T> + j; }, rows);
      unroll<kQuad<T>>([&](auto r) HWY_ATTR {
        if (j + r < piece.many) {
          store_vector<T>(rows[0][r], piece.first_many + j + r, piece.first_few + i, c, place);
        }
      });
    });
  }
}

/// Where fewer than a kernel's many are left, it takes some again that stand before them.
template <class T>
void multiply_few(FewLayout layout, const FewOperands<T>& operands, bool few_columns,
                  const TargetBlock<T>& c) {
  const std::size_t few = few_columns ? c.columns : c.rows;
  const std::size_t many = few_columns ? c.rows : c.columns;
  const std::size_t few_step = layout == FewLayout::kBothRows ? operands.few_stride : 1;
  const std::size_t many_step = layout == FewLayout::kBothDepthMajor ? 1 : operands.many_stride;
  HWY_ALIGN T sums[(kFewAtOnce<T> + kLanes<T>)*kMostMany<T>] = {};
  const std::size_t passes = (few + kFewAtOnce<T> - 1) / kFewAtOnce<T>;
  for (std::size_t pass = 0; pass < passes; ++pass) {
    Piece piece{0, 0, few * pass / passes, 0};
    piece.few = few * (pass + 1) / passes - piece.first_few;
    const FewKernel<T> kernel = few_kernel<T>(layout, piece.few);
    FewOperands<T> from = operands;
    from.few += piece.first_few * few_step;
    for (std::size_t j = 0; j < many; j += piece.many) {
      piece.many = std::min(kernel.many, many - j);
      piece.first_many = j;
      const std::size_t again = kernel.many - piece.many;
      from.many = operands.many + j * many_step - again * many_step;
      kernel.sum(from, sums);
      (few_columns ? store_few_turned<T> : store_few<T>)(sums + again, piece, c);
    }
  }
}

void fill_float(FewKernels<float>& kernels) {
  kernels = {kFewAtOnce<float>, kMostMany<float>, multiply_few<float>};
}
void fill_double(FewKernels<double>& kernels) {
  kernels = {kFewAtOnce<double>, kMostMany<double>, multiply_few<double>};
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/simd/dispatch.hpp"

namespace interpscale::kernels::simd {

INTERPSCALE_SELECT(FewKernels)

}  // namespace interpscale::kernels::simd
#endif
