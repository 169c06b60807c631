// The register tile: kRows x kVectors vectors of C stay in registers while the depth goes by. Every
// element of C is one chain of FMAs in the order of the depth, whatever the tile: results do not
// depend on how C is cut up. Re-included once per target.
//
// Sizes (Zen 4, 117 GFLOP/s of FMAs a thread): with 32 registers 6 x 4 vectors reach 98 % and are
// safe with unpacked A at power-of-two strides, which 12 and 14 rows are not; with 16 registers 6 x
// 2, larger tiles spill. Four steps of depth a round: without it AVX2 gets 76-85 % for 97-100 %.
// SPDX-License-Identifier: Apache-2.0
#if defined(INTERPSCALE_KERNELS_SIMD_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INTERPSCALE_KERNELS_SIMD_TILE_INL_H_
#undef INTERPSCALE_KERNELS_SIMD_TILE_INL_H_
#else
#define INTERPSCALE_KERNELS_SIMD_TILE_INL_H_
#endif

#include <hwy/cache_control.h>

#include <algorithm>
#include <type_traits>

#include "kernels/simd/epilogue-inl.h"
#include "kernels/simd/kernel_table.hpp"
#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
constexpr std::size_t kTileRows = 2;  // correct, quick to compile
constexpr std::size_t kTileVectors = 2;
#elif HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr std::size_t kTileRows = 6;
constexpr std::size_t kTileVectors = 4;
#else
constexpr std::size_t kTileRows = 6;
constexpr std::size_t kTileVectors = 2;
#endif
constexpr std::size_t kDepthUnroll = 4;
/// Rows that a tile fetches in turn: a cache line of floats is sixteen depths, four rounds.
constexpr std::size_t kFetches = 4;

template <class T>
constexpr std::size_t kPanelColumns = kTileVectors* kLanes<T>;

/// Rows of the next tile when `left` remain: full tiles, but 7 and 8 are halved, since tiles of one
/// or two rows wait for the FMAs' latency.
constexpr std::size_t next_tile_rows(std::size_t left) {
  constexpr std::size_t kHalf = (kTileRows + 2) / 2;
  return left > kTileRows && left <= kTileRows + 2 ? kHalf : std::min(left, kTileRows);
}

/// One tile's operands. a: element (i, p) at a[i * a_stride + p], or a[p * a_stride + i] if depth
/// comes first; b: row p at b[p * b_stride], whole vectors readable; c, bias and mask (nullptr:
/// none) at the tile's first element.
template <class T>
struct TileOperands {
  const T* a;
  std::size_t a_stride;
  const T* b;
  std::size_t b_stride;
  std::size_t depth;
  std::size_t columns;  ///< of the tile; only its last vector may be partial
  T* c;
  const T* bias;
  const T* mask;
  /// Every round of depths p on fetches the line of fetch[p * fetch_step + turn * fetch_jump] into
  /// the caches, turn = 0, 1, 2, 3, 0, ...
  const T* fetch;
  std::size_t fetch_step;
  std::size_t fetch_jump;
};

template <class T, std::size_t kRows, std::size_t kVectors>
struct Tile {
  Vector<T> sums[kRows][kVectors];

  HWY_INLINE void clear() {
    unroll<kRows>([&](auto i) HWY_ATTR {
      unroll<kVectors>([&](auto v) HWY_ATTR { sums[i][v] = hn::Zero(Tag<T>()); });
    });
  }

  /// sums(i, :) += a_i b for one row of b, or := if it is the first; a_of(i) points at the number
  /// to broadcast.
  template <bool kFirst, class ElementOfA>
  HWY_INLINE void add_step(const T* b, const ElementOfA& a_of) {
    const Tag<T> d;
    Vector<T> row[kVectors];
    unroll<kVectors>([&](auto v) HWY_ATTR { row[v] = hn::LoadU(d, b + v * kLanes<T>); });
    unroll<kRows>([&](auto i) HWY_ATTR {
      const Vector<T> factor = hn::Set(d, *a_of(i));
      unroll<kVectors>([&](auto v) HWY_ATTR {
        sums[i][v] = kFirst ? hn::Mul(factor, row[v]) : hn::MulAdd(factor, row[v], sums[i][v]);
      });
    });
  }

  /// The first depth is a product of its own: setting the sums to zero would keep the pipes of the
  /// FMAs busy, and cost a product 64 deep 2 % on Zen 4.
  template <bool kDepthMajor>
  HWY_INLINE void accumulate(const TileOperands<T>& from) {
    if (from.depth == 0) {
      clear();
      return;
    }
    const T* b = from.b;
    const T* rows[kRows];
    if constexpr (!kDepthMajor) {
      unroll<kRows>([&](auto i) HWY_ATTR { rows[i] = from.a + i * from.a_stride; });
    }
    const T* column = from.a;
    const auto step = [&](std::size_t p, auto first) HWY_ATTR {
      if constexpr (kDepthMajor) {
        add_step<first>(b, [&](auto i) HWY_ATTR { return column + i; });
        column += from.a_stride;
      } else {
        add_step<first>(b, [&](auto i) HWY_ATTR { return rows[i] + p; });
      }
      b += from.b_stride;
    };
    step(0, std::true_type());
    std::size_t p = 1;
    for (; p + kDepthUnroll <= from.depth; p += kDepthUnroll) {
      hwy::Prefetch(from.fetch + p * from.fetch_step +
                    p / kDepthUnroll % kFetches * from.fetch_jump);
      unroll<kDepthUnroll>([&](auto u) HWY_ATTR { step(p + u, std::false_type()); });
    }
    for (; p < from.depth; ++p) {
      step(p, std::false_type());
    }
  }

  /// `whole`: what the tile is part of.
  HWY_INLINE void store(const TileOperands<T>& at, const TargetBlock<T>& whole) {
    const std::size_t rest = at.columns - (kVectors - 1) * kLanes<T>;
    if (rest == kLanes<T>) {
      store_with(at, whole, Whole());
    } else {
      store_with(at, whole, Part{rest});
    }
  }

 private:
  /// One step of the epilogue after the other, so that none is asked about more than once a tile.
  template <class Place>
  HWY_INLINE void store_with(const TileOperands<T>& at, const TargetBlock<T>& c,
                             const Place& last) {
    const Tag<T> d;
    T* to = at.c;
    if (!c.plain) {
      if (c.alpha != T{1}) {
        const Vector<T> alpha = hn::Set(d, c.alpha);
        for_each(last, [&](std::size_t, std::size_t, Vector<T> value, auto)
                           HWY_ATTR { return hn::Mul(value, alpha); });
      }
      if (c.beta != T{0}) {
        const Vector<T> beta = hn::Set(d, c.beta);
        for_each(last, [&](std::size_t i, std::size_t j, Vector<T> value, auto place) HWY_ATTR {
          return hn::MulAdd(beta, place.load(to + i * c.stride + j), value);
        });
      }
      if (at.bias != nullptr) {
        for_each(last, [&](std::size_t, std::size_t j, Vector<T> value, auto place)
                           HWY_ATTR { return hn::Add(value, place.load(at.bias + j)); });
      }
      if (c.relu) {
        for_each(last, [&](std::size_t, std::size_t, Vector<T> value, auto)
                           HWY_ATTR { return hn::Max(hn::Zero(d), value); });
      }
      if (at.mask != nullptr) {
        const T* mask = at.mask;
        for_each(last, [&](std::size_t i, std::size_t j, Vector<T> value, auto place) HWY_ATTR {
          return hn::IfThenElseZero(hn::Gt(place.load(mask + i * c.mask_stride + j), hn::Zero(d)),
                                    value);
        });
      }
    }
    for_each(last, [&](std::size_t i, std::size_t j, Vector<T> value, auto place) HWY_ATTR {
      place.store(value, to + i * c.stride + j);
      return value;
    });
  }

  /// sum := body(row, offset of the column, sum, place) for every vector of the tile; `last` is the
  /// place of a row's last.
  template <class Place, class Body>
  HWY_INLINE void for_each(const Place& last, const Body& body) {
    unroll<kRows>([&](auto i) HWY_ATTR {
      unroll<kVectors - 1>(
          [&](auto v) HWY_ATTR { sums[i][v] = body(i, v * kLanes<T>, sums[i][v], Whole()); });
      constexpr std::size_t kLast = kVectors - 1;
      sums[i][kLast] = body(i, kLast * kLanes<T>, sums[i][kLast], last);
    });
  }
};

/// One tile of `c`.
template <class T, bool kDepthMajor, std::size_t kRows, std::size_t kVectors>
HWY_NOINLINE HWY_FLATTEN void compute_tile(const TileOperands<T>& from, const TargetBlock<T>& c) {
  Tile<T, kRows, kVectors> tile;
  tile.template accumulate<kDepthMajor>(from);
  tile.store(from, c);
}

template <class T>
using TileFunction = void (*)(const TileOperands<T>&, const TargetBlock<T>&);

template <class T, bool kDepthMajor, std::size_t kRows, std::size_t kVectors>
TileFunction<T> tile_function_with(std::size_t rows, std::size_t vectors) {
  if constexpr (kRows > 1) {
    if (rows < kRows) {
      return tile_function_with<T, kDepthMajor, kRows - 1, kVectors>(rows, vectors);
    }
  }
  if constexpr (kVectors > 1) {
    if (vectors < kVectors) {
      return tile_function_with<T, kDepthMajor, kRows, kVectors - 1>(rows, vectors);
    }
  }
  return compute_tile<T, kDepthMajor, kRows, kVectors>;
}

/// The tile for 1 <= rows <= kTileRows and 1 <= vectors <= kTileVectors.
template <class T>
TileFunction<T> tile_function(bool depth_major, std::size_t rows, std::size_t vectors) {
  return depth_major ? tile_function_with<T, true, kTileRows, kTileVectors>(rows, vectors)
                     : tile_function_with<T, false, kTileRows, kTileVectors>(rows, vectors);
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#endif
