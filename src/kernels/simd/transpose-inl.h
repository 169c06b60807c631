// Transposing 4 x 4 (float) or 2 x 2 (double) blocks in 128-bit registers: two shuffles a vector,
// no matter how wide the machine's vectors are. Re-included once per target.
// SPDX-License-Identifier: Apache-2.0
#if defined(INTERPSCALE_KERNELS_SIMD_TRANSPOSE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INTERPSCALE_KERNELS_SIMD_TRANSPOSE_INL_H_
#undef INTERPSCALE_KERNELS_SIMD_TRANSPOSE_INL_H_
#else
#define INTERPSCALE_KERNELS_SIMD_TRANSPOSE_INL_H_
#endif

#include <algorithm>

#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

template <class T>
constexpr std::size_t kTransposeBlock = 1;

template <class T>
HWY_INLINE void transpose_block(const T* from, std::size_t, T* to, std::size_t) {
  *to = *from;
}

#else

template <class T>
constexpr std::size_t kTransposeBlock = 16 / sizeof(T);

HWY_INLINE void transpose_block(const double* from, std::size_t from_stride, double* to,
                                std::size_t to_stride) {
  const hn::Full128<double> d;
  const auto a = hn::LoadU(d, from);
  const auto b = hn::LoadU(d, from + from_stride);
  hn::StoreU(hn::InterleaveLower(d, a, b), d, to);
  hn::StoreU(hn::InterleaveUpper(d, a, b), d, to + to_stride);
}

HWY_INLINE void transpose_block(const float* from, std::size_t from_stride, float* to,
                                std::size_t to_stride) {
  const hn::Full128<float> d;
  const auto r0 = hn::LoadU(d, from);
  const auto r1 = hn::LoadU(d, from + from_stride);
  const auto r2 = hn::LoadU(d, from + 2 * from_stride);
  const auto r3 = hn::LoadU(d, from + 3 * from_stride);
  const auto low02 = hn::InterleaveLower(d, r0, r2);   // 00 20 01 21
  const auto low13 = hn::InterleaveLower(d, r1, r3);   // 10 30 11 31
  const auto high02 = hn::InterleaveUpper(d, r0, r2);  // 02 22 03 23
  const auto high13 = hn::InterleaveUpper(d, r1, r3);  // 12 32 13 33
  hn::StoreU(hn::InterleaveLower(d, low02, low13), d, to);
  hn::StoreU(hn::InterleaveUpper(d, low02, low13), d, to + to_stride);
  hn::StoreU(hn::InterleaveLower(d, high02, high13), d, to + 2 * to_stride);
  hn::StoreU(hn::InterleaveUpper(d, high02, high13), d, to + 3 * to_stride);
}

#endif

/// body(at) for blocks that cover [first, end); the last one overlaps the one before where the
/// extent is no multiple. end is at least a block.
template <std::size_t kBlock, class Body>
HWY_INLINE void for_blocks(std::size_t first, std::size_t end, const Body& body) {
  for (; first + kBlock <= end; first += kBlock) {
    body(first);
  }
  if (first < end) {
    body(end - kBlock);
  }
}

/// to[j * to_stride + i] := from[i * from_stride + j] for i < rows, j < cols; no overlap of the
/// two. Columns go by a cache line at a time, so that a line of `from` is used up while it is near.
template <class T>
HWY_INLINE void transpose_matrix(const T* from, std::size_t from_stride, std::size_t rows,
                                 std::size_t cols, T* to, std::size_t to_stride) {
  constexpr std::size_t kBlock = kTransposeBlock<T>;
  constexpr std::size_t kLine = kCacheLineBytes / sizeof(T);
  if (rows < kBlock || cols < kBlock) {
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < cols; ++j) {
        to[j * to_stride + i] = from[i * from_stride + j];
      }
    }
    return;
  }
  for (std::size_t line = 0; line < cols; line += kLine) {
    for_blocks<kBlock>(0, rows, [&](std::size_t i) HWY_ATTR {
      for_blocks<kBlock>(line, std::min(cols, line + kLine), [&](std::size_t j) HWY_ATTR {
        transpose_block(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride);
      });
    });
  }
}

/// Depths that are turned at once: as many as a 128-bit block has numbers.
template <class T>
constexpr std::size_t kQuad = kTransposeBlock<T>;

/// Blocks of depths in one go. Four quads of floats use up a cache line: with one, 16 rows a power
/// of two apart throw each other out of the first-level cache (8 x 1024 x 1024 NT: 54 to 24
/// GFLOP/s).
#if HWY_TARGET <= HWY_AVX3 && HWY_TARGET != HWY_SCALAR
constexpr std::size_t kQuadsAtOnce = 4;
#else
constexpr std::size_t kQuadsAtOnce = 1;
#endif

#if HWY_TARGET == HWY_SCALAR

template <class D, std::size_t kQuads, class RowOf>
HWY_INLINE void load_turned(D d, const RowOf& row, hn::Vec<D> (&columns)[kQuads][1]) {
  unroll<kQuads>([&](auto q) HWY_ATTR { columns[q][0] = hn::LoadU(d, row(0) + q); });
}

#else

/// Block b of the vector holds what row_of_block(first + b) points at. (Merging loads instead of
/// insertions lost a quarter on Zen 4.)
template <class D, class RowOfBlock>
HWY_INLINE hn::Vec<D> load_blocks(D d, std::size_t first, const RowOfBlock& row_of_block) {
  constexpr std::size_t kBlocks = hn::MaxLanes(d) * sizeof(hn::TFromD<D>) / 16;
  if constexpr (kBlocks > 1) {
    const hn::Half<D> half;
    return hn::Combine(d, load_blocks(half, first + kBlocks / 2, row_of_block),
                       load_blocks(half, first, row_of_block));
  } else {
    return hn::LoadU(d, row_of_block(first));
  }
}

template <class D>
HWY_INLINE void turn_blocks(D d, hn::Vec<D> (&rows)[2]) {
  const auto lower = hn::InterleaveLower(d, rows[0], rows[1]);
  rows[1] = hn::InterleaveUpper(d, rows[0], rows[1]);
  rows[0] = lower;
}
template <class D>
HWY_INLINE void turn_blocks(D d, hn::Vec<D> (&rows)[4]) {
  const auto low02 = hn::InterleaveLower(d, rows[0], rows[2]);
  const auto low13 = hn::InterleaveLower(d, rows[1], rows[3]);
  const auto high02 = hn::InterleaveUpper(d, rows[0], rows[2]);
  const auto high13 = hn::InterleaveUpper(d, rows[1], rows[3]);
  rows[0] = hn::InterleaveLower(d, low02, low13);
  rows[1] = hn::InterleaveUpper(d, low02, low13);
  rows[2] = hn::InterleaveLower(d, high02, high13);
  rows[3] = hn::InterleaveUpper(d, high02, high13);
}

/// columns[q][r]: lane j holds row(j)[q * kQuad + r]. All that is taken of a row is taken together.
template <class D, std::size_t kQuads, class RowOf>
HWY_INLINE void load_turned(D d, const RowOf& row,
                            hn::Vec<D> (&columns)[kQuads][kQuad<hn::TFromD<D> >]) {
  constexpr std::size_t kWide = kQuad<hn::TFromD<D> >;
  unroll<kWide>([&](auto r) HWY_ATTR {
    unroll<kQuads>([&](auto q) HWY_ATTR {
      columns[q][r] = load_blocks(
          d, 0, [&](std::size_t block) HWY_ATTR { return row(block * kWide + r) + q * kWide; });
    });
  });
  unroll<kQuads>([&](auto q) HWY_ATTR { turn_blocks(d, columns[q]); });
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#endif
