// Products with few rows or columns: C(i, j), i over the few, j over the many. Lanes are the many.
// Where each of the many is contiguous along the depth, 128-bit blocks of them are turned in
// registers on their way: three or four shuffles a vector instead of a packed copy that few rows
// could not pay for. Every element of C is one chain of FMAs in the order of the depth, as in
// tile-inl.h, to the bit. Re-included once per target. SPDX-License-Identifier: Apache-2.0
#if defined(INTERPSCALE_KERNELS_SIMD_FEW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INTERPSCALE_KERNELS_SIMD_FEW_INL_H_
#undef INTERPSCALE_KERNELS_SIMD_FEW_INL_H_
#else
#define INTERPSCALE_KERNELS_SIMD_FEW_INL_H_
#endif

#include <algorithm>

#include "kernels/simd/kernel_table.hpp"
#include "kernels/simd/transpose-inl.h"
#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

/// Depths that are turned at once: as many as a 128-bit block has numbers.
template <class T>
constexpr std::size_t kQuad = kTransposeBlock<T>;

/// `kFewAtOnce`: most of the few in one pass over the many. Their sums and `kQuadsAtOnce` turned
/// blocks fill the registers. Four quads of floats use up a cache line at once: with one, 16 rows a
/// power of two apart throw each other out of the first-level cache (8 x 1024 x 1024: 54 to 24
/// GFLOP/s). Doubles serve for checks, and get less code.
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
template <class T>
constexpr std::size_t kFewAtOnce = 2;
constexpr std::size_t kQuadsAtOnce = 1;
#elif HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
template <class T>
constexpr std::size_t kFewAtOnce = sizeof(T) == 4 ? 10 : 4;
constexpr std::size_t kQuadsAtOnce = 4;
#else
template <class T>
constexpr std::size_t kFewAtOnce = sizeof(T) == 4 ? 5 : 2;
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
                            hn::Vec<D> (&columns)[kQuads][kQuad<hn::TFromD<D>>]) {
  constexpr std::size_t kWide = kQuad<hn::TFromD<D>>;
  unroll<kWide>([&](auto r) HWY_ATTR {
    unroll<kQuads>([&](auto q) HWY_ATTR {
      columns[q][r] = load_blocks(
          d, 0, [&](std::size_t block) HWY_ATTR { return row(block * kWide + r) + q * kWide; });
    });
  });
  unroll<kQuads>([&](auto q) HWY_ATTR { turn_blocks(d, columns[q]); });
}

#endif

/// How many of the many at once, in vectors of D: with few sums the FMAs would wait for each other.
/// Of one to three rows, half vectors save a shuffle and nothing is lost on the FMAs.
template <class T, FewLayout kLayout, std::size_t kFew>
struct ManyOf {
#if HWY_TARGET <= HWY_AVX3
  static constexpr bool kHalf = kLayout != FewLayout::kBothDepthMajor && kFew <= 2;
#else
  static constexpr bool kHalf = false;
#endif
  using D = hn::CappedTag<T, kHalf ? kLanes<T> / 2 : kLanes<T>>;
  static constexpr std::size_t kVectors =
      kHalf ? 4 : (kFew <= (kLayout == FewLayout::kBothDepthMajor ? kFewAtOnce<T> : 3) ? 2 : 1);
  static constexpr std::size_t kMany = kVectors * hn::MaxLanes(D());
};
/// The most, and the stride of the sums.
template <class T>
constexpr std::size_t kMostMany = 2 * kLanes<T>;

template <class T, FewLayout kLayout, std::size_t kFew>
struct FewSums {
  using Shape = ManyOf<T, kLayout, kFew>;
  using D = typename Shape::D;
  static constexpr std::size_t kVectors = Shape::kVectors;
  static constexpr std::size_t kWide = hn::MaxLanes(D());
  hn::Vec<D> sums[kFew][kVectors];

  HWY_INLINE void clear() {
    unroll<kFew>([&](auto i) HWY_ATTR {
      unroll<kVectors>([&](auto v) HWY_ATTR { sums[i][v] = hn::Zero(D()); });
    });
  }

  HWY_INLINE hn::Vec<D> few_at(const FewOperands<T>& from, std::size_t i, std::size_t p) const {
    return hn::Set(D(), kLayout == FewLayout::kBothRows ? from.few[i * from.few_stride + p]
                                                        : from.few[p * from.few_stride + i]);
  }

  template <std::size_t kQuads, class RowOf>
  HWY_INLINE void add_quads(const FewOperands<T>& from, std::size_t p, const RowOf& row) {
    unroll<kVectors>([&](auto v) HWY_ATTR {
      hn::Vec<D> columns[kQuads][kQuad<T>];
      load_turned<D, kQuads>(
          D(), [&](std::size_t j) HWY_ATTR { return row(v * kWide + j) + p; }, columns);
      unroll<kQuads>([&](auto q) HWY_ATTR {
        unroll<kQuad<T>>([&](auto r) HWY_ATTR {
          unroll<kFew>([&](auto i) HWY_ATTR {
            sums[i][v] =
                hn::MulAdd(few_at(from, i, p + q * kQuad<T> + r), columns[q][r], sums[i][v]);
          });
        });
      });
    });
  }

  /// row(j) points at the j-th of the many.
  template <class RowOf>
  HWY_INLINE void accumulate(const FewOperands<T>& from, const RowOf& row) {
    std::size_t p = 0;
    for (; p + kQuadsAtOnce * kQuad<T> <= from.depth; p += kQuadsAtOnce * kQuad<T>) {
      add_quads<kQuadsAtOnce>(from, p, row);
    }
    for (; p + kQuad<T> <= from.depth; p += kQuad<T>) {
      add_quads<1>(from, p, row);
    }
    for (; p < from.depth; ++p) {
      HWY_ALIGN T lanes[Shape::kMany];
      for (std::size_t j = 0; j < Shape::kMany; ++j) {
        lanes[j] = row(j)[p];
      }
      add_depth(from, p, [&](std::size_t v) HWY_ATTR { return hn::Load(D(), lanes + v * kWide); });
    }
  }

  /// The many of a vector stand side by side: nothing to turn.
  HWY_INLINE void accumulate_straight(const FewOperands<T>& from) {
    for (std::size_t p = 0; p < from.depth; ++p) {
      const T* many = from.many + p * from.many_stride;
      add_depth(from, p, [&](std::size_t v) HWY_ATTR { return hn::LoadU(D(), many + v * kWide); });
    }
  }

  template <class VectorOf>
  HWY_INLINE void add_depth(const FewOperands<T>& from, std::size_t p, const VectorOf& vector_of) {
    hn::Vec<D> row[kVectors];
    unroll<kVectors>([&](auto v) HWY_ATTR { row[v] = vector_of(v); });
    unroll<kFew>([&](auto i) HWY_ATTR {
      const hn::Vec<D> factor = few_at(from, i, p);
      unroll<kVectors>([&](auto v)
                           HWY_ATTR { sums[i][v] = hn::MulAdd(factor, row[v], sums[i][v]); });
    });
  }
};

/// sums[i * kMostMany + j] := element (i, j) of the product for the kMany first of the many.
/// (Flattened: GCC would call the lambdas and keep the sums in memory.)
template <class T, FewLayout kLayout, std::size_t kFew>
HWY_NOINLINE HWY_FLATTEN void sum_few(const FewOperands<T>& from, T* sums) {
  FewSums<T, kLayout, kFew> few;
  few.clear();
  if constexpr (kLayout == FewLayout::kBothDepthMajor) {
    few.accumulate_straight(from);
  } else {
    few.accumulate(from, [&](std::size_t j) HWY_ATTR { return from.many + j * from.many_stride; });
  }
  unroll<kFew>([&](auto i) HWY_ATTR {
    unroll<few.kVectors>([&](auto v) HWY_ATTR {
      hn::Store(few.sums[i][v], typename decltype(few)::D(),
                sums + i * kMostMany<T> + v * few.kWide);
    });
  });
}

template <class T>
struct FewKernel {
  void (*sum)(const FewOperands<T>&, T*);
  std::size_t many;  ///< at once
};

template <class T, FewLayout kLayout, std::size_t kFew>
FewKernel<T> few_kernel_with(std::size_t few) {
  if constexpr (kFew > 1) {
    if (few < kFew) {
      return few_kernel_with<T, kLayout, kFew - 1>(few);
    }
  }
  return {sum_few<T, kLayout, kFew>, ManyOf<T, kLayout, kFew>::kMany};
}

template <class T>
FewKernel<T> few_kernel(FewLayout layout, std::size_t few) {
  switch (layout) {
    case FewLayout::kBothRows:
      return few_kernel_with<T, FewLayout::kBothRows, kFewAtOnce<T>>(few);
    case FewLayout::kFewDepthMajor:
      return few_kernel_with<T, FewLayout::kFewDepthMajor, kFewAtOnce<T>>(few);
    default:
      return few_kernel_with<T, FewLayout::kBothDepthMajor, kFewAtOnce<T>>(few);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#endif
