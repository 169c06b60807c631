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

/// `kFewAtOnce`: most of the few in one pass over the many. Their sums and `kQuadsAtOnce` turned
/// blocks fill the registers. Doubles serve for checks, and get less code.
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
template <class T>
constexpr std::size_t kFewAtOnce = 2;
#elif HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
template <class T>
constexpr std::size_t kFewAtOnce = sizeof(T) == 4 ? 10 : 4;
#else
template <class T>
constexpr std::size_t kFewAtOnce = sizeof(T) == 4 ? 5 : 2;
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

  /// -0 plus the first product is the product, as in a tile, even if that is -0.
  HWY_INLINE void clear() {
    unroll<kFew>([&](auto i) HWY_ATTR {
      unroll<kVectors>([&](auto v) HWY_ATTR { sums[i][v] = hn::Set(D(), T{-0.0}); });
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

  /// The same through memory: one or two sums a vector are chains that take longer than turning,
  /// and so the processor finds the next blocks to turn while it waits for them.
  template <std::size_t kQuads, class RowOf>
  HWY_INLINE void add_quads_through_memory(const FewOperands<T>& from, std::size_t p,
                                           const RowOf& row) {
    HWY_ALIGN T turned[kQuads * kQuad<T> * Shape::kMany];
    unroll<kVectors>([&](auto v) HWY_ATTR {
      hn::Vec<D> columns[kQuads][kQuad<T>];
      load_turned<D, kQuads>(
          D(), [&](std::size_t j) HWY_ATTR { return row(v * kWide + j) + p; }, columns);
      unroll<kQuads>([&](auto q) HWY_ATTR {
        unroll<kQuad<T>>([&](auto r) HWY_ATTR {
          hn::Store(columns[q][r], D(), turned + (q * kQuad<T> + r) * Shape::kMany + v * kWide);
        });
      });
    });
    for (std::size_t q = 0; q < kQuads * kQuad<T>; ++q) {
      add_depth(from, p + q, [&](std::size_t v) HWY_ATTR {
        return hn::Load(D(), turned + q * Shape::kMany + v * kWide);
      });
    }
  }

  /// row(j) points at the j-th of the many.
  template <class RowOf>
  HWY_INLINE void accumulate(const FewOperands<T>& from, const RowOf& row) {
    std::size_t p = 0;
    for (; p + kQuadsAtOnce * kQuad<T> <= from.depth; p += kQuadsAtOnce * kQuad<T>) {
      if constexpr (kFew <= 2) {
        add_quads_through_memory<kQuadsAtOnce>(from, p, row);
      } else {
        add_quads<kQuadsAtOnce>(from, p, row);
      }
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
