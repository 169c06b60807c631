// Products with few columns, C = A B^T: lanes run along the depth, where both operands are
// contiguous, since ten columns would leave six of a vector's sixteen lanes empty. Every element of
// C is one FMA chain a lane, then one fixed tree over the lanes, wherever its row stands.
// Re-included once per target.
// SPDX-License-Identifier: Apache-2.0
#if defined(INTERPSCALE_KERNELS_SIMD_NARROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INTERPSCALE_KERNELS_SIMD_NARROW_INL_H_
#undef INTERPSCALE_KERNELS_SIMD_NARROW_INL_H_
#else
#define INTERPSCALE_KERNELS_SIMD_NARROW_INL_H_
#endif

#include <algorithm>

#include "kernels/simd/epilogue-inl.h"
#include "kernels/simd/kernel_table.hpp"
#include "kernels/simd/transpose-inl.h"
#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

/// Four rows, as many as a 128-bit register holds floats; with the columns they fill the registers.
constexpr std::size_t kNarrowRows = 4;
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr std::size_t kNarrowColumns = 6;
#else
constexpr std::size_t kNarrowColumns = 3;
#endif

#if HWY_TARGET == HWY_SCALAR

template <class T>
HWY_INLINE void sum_lanes(const Vector<T> (&rows)[kNarrowRows], T* sums) {
  for (std::size_t i = 0; i < kNarrowRows; ++i) {
    sums[i] = hn::GetLane(rows[i]);
  }
}

#else

/// The sum of a vector's 128-bit blocks, halves first.
template <class D, class V>
HWY_INLINE auto sum_of_blocks(D d, V vector) {
  if constexpr (hn::MaxLanes(d) * sizeof(hn::TFromD<D>) > 16) {
    const hn::Half<D> half;
    return sum_of_blocks(half, hn::Add(hn::LowerHalf(half, vector), hn::UpperHalf(half, vector)));
  } else {
    return vector;
  }
}

/// In each block (a0 + a1, b0 + b1) of doubles, (a0 + a2, b0 + b2, a1 + a3, b1 + b3) of floats.
template <class T>
HWY_INLINE Vector<T> add_pairs(Vector<T> a, Vector<T> b) {
  const Tag<T> d;
  return hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
}

/// sums[i] := the sum of rows[i]'s lanes: four at once, three operations each.
HWY_INLINE void sum_lanes(const Vector<float> (&rows)[kNarrowRows], float* sums) {
  const Vector<float> even = add_pairs<float>(rows[0], rows[2]);
  const Vector<float> odd = add_pairs<float>(rows[1], rows[3]);
  const hn::Full128<float> block;
  hn::StoreU(sum_of_blocks(Tag<float>(), add_pairs<float>(even, odd)), block, sums);
}
HWY_INLINE void sum_lanes(const Vector<double> (&rows)[kNarrowRows], double* sums) {
  const hn::Full128<double> block;
  const Tag<double> d;
  hn::StoreU(sum_of_blocks(d, add_pairs<double>(rows[0], rows[1])), block, sums);
  hn::StoreU(sum_of_blocks(d, add_pairs<double>(rows[2], rows[3])), block, sums + 2);
}

#endif

template <class T>
struct NarrowOperands {
  const T* rows[kNarrowRows];  ///< of A
  const T* b;                  ///< column j's depth at b + j * b_stride, zeros up to a whole vector
  std::size_t b_stride;
  std::size_t depth;
};

/// sums[j * kNarrowRows + i] := row i of A times column j of B, j < kColumns.
template <class T, std::size_t kColumns>
HWY_NOINLINE void multiply_narrow_tile(const NarrowOperands<T>& from, T* sums) {
  const Tag<T> d;
  Vector<T> partial[kColumns][kNarrowRows];
  unroll<kColumns>([&](auto j) HWY_ATTR {
    unroll<kNarrowRows>([&](auto i) HWY_ATTR { partial[j][i] = hn::Zero(d); });
  });
  for_vectors<T>(from.depth, [&](std::size_t p, auto place) HWY_ATTR {
    Vector<T> column[kColumns];
    unroll<kColumns>([&](auto j)
                         HWY_ATTR { column[j] = hn::LoadU(d, from.b + j * from.b_stride + p); });
    unroll<kNarrowRows>([&](auto i) HWY_ATTR {
      const Vector<T> row = place.load(from.rows[i] + p);
      unroll<kColumns>([&](auto j)
                           HWY_ATTR { partial[j][i] = hn::MulAdd(row, column[j], partial[j][i]); });
    });
  });
  unroll<kColumns>([&](auto j) HWY_ATTR { sum_lanes(partial[j], sums + j * kNarrowRows); });
}

template <class T, std::size_t kColumns>
HWY_INLINE void multiply_narrow_columns(std::size_t columns, const NarrowOperands<T>& from,
                                        T* sums) {
  if constexpr (kColumns > 1) {
    if (columns < kColumns) {
      multiply_narrow_columns<T, kColumns - 1>(columns, from, sums);
      return;
    }
  }
  multiply_narrow_tile<T, kColumns>(from, sums);
}

/// GemmKernels::multiply_narrow. Rows behind the last repeat it and are not stored.
template <class T>
void multiply_narrow(const LeftBlock<T>& a, const T* b, std::size_t b_stride, std::size_t depth,
                     const TargetBlock<T>& c) {
  constexpr std::size_t kStride = kMostNarrowColumns + kLanes<T>;  // whole vectors readable
  HWY_ALIGN T by_column[kMostNarrowColumns * kNarrowRows];
  HWY_ALIGN T by_row[kNarrowRows * kStride] = {};
  const std::size_t tiles = (c.columns + kNarrowColumns - 1) / kNarrowColumns;
  for (std::size_t row = 0; row < c.rows; row += kNarrowRows) {
    NarrowOperands<T> from{{}, b, b_stride, depth};
    for (std::size_t i = 0; i < kNarrowRows; ++i) {
      from.rows[i] = a.data + std::min(row + i, c.rows - 1) * a.stride;
    }
    for (std::size_t tile = 0; tile < tiles; ++tile) {
      const std::size_t first = c.columns * tile / tiles;
      from.b = b + first * b_stride;
      multiply_narrow_columns<T, kNarrowColumns>(c.columns * (tile + 1) / tiles - first, from,
                                                 by_column + first * kNarrowRows);
    }
    transpose_matrix(by_column, kNarrowRows, c.columns, kNarrowRows, by_row, kStride);
    for (std::size_t i = 0; i < std::min(kNarrowRows, c.rows - row); ++i) {
      for_vectors<T>(c.columns, [&](std::size_t j, auto place) HWY_ATTR {
        store_vector<T>(hn::LoadU(Tag<T>(), by_row + i * kStride + j), row + i, j, c, place);
      });
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#endif
