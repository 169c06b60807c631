// Matrix products inside the caches: packing, and register tiles over blocks of A and B. What is
// packed and how blocks follow each other is decided in gemm_plan.cpp, for all targets alike.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/disabled_targets.hpp"
#include "kernels/simd/kernel_table.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/gemm.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/simd/narrow-inl.h"
#include "kernels/simd/tile-inl.h"
#include "kernels/simd/transpose-inl.h"
#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

/// `count` tiles of equal size from (row, panel) on, down the panel or along its neighbours;
/// `first` is the number of the first one in its panel.
struct TileSpan {
  std::size_t row;
  std::size_t rows;
  std::size_t panel;
  std::size_t count;
  std::size_t first;
  bool down;
};

/// What tile number `tile` of a panel fetches of the panel to be packed next.
template <class T>
void set_fetch(const RightBlock<T>& b, std::size_t tile, TileOperands<T>& operands) {
  constexpr std::size_t kLine = kCacheLineBytes / sizeof(T);
  constexpr std::size_t kLines = (kPanelColumns<T> + kLine - 1) / kLine;
  if (!b.next_is_transposed) {
    operands.fetch = b.next + tile / kLines % kDepthUnroll * b.next_stride + tile % kLines * kLine;
    operands.fetch_step = b.next_stride;
  } else if ((tile + 1) * kFetches <= kPanelColumns<T>) {
    operands.fetch = b.next + tile * kFetches * b.next_stride;
    operands.fetch_step = 1;
    operands.fetch_jump = b.next_stride;
  } else {
    operands.fetch = operands.b;
    operands.fetch_step = 0;
    operands.fetch_jump = 0;
  }
}

template <class T>
void multiply_span(const LeftBlock<T>& a, const RightBlock<T>& b, std::size_t depth,
                   const TileSpan& span, const TargetBlock<T>& c) {
  const std::size_t column = span.panel * kPanelColumns<T>;
  const std::size_t columns = std::min(kPanelColumns<T>, c.columns - column);
  const std::size_t vectors = (columns + kLanes<T> - 1) / kLanes<T>;
  const bool tail = columns < kPanelColumns<T> && b.tail != nullptr;
  const std::size_t row_step = a.packed ? depth : (a.depth_major ? 1 : a.stride);
  const TileFunction<T> compute = tile_function<T>(a.packed || a.depth_major, span.rows, vectors);
  TileOperands<T> operands{
      .a = a.data + span.row * row_step,
      .a_stride = a.packed ? span.rows : a.stride,
      .b = tail ? b.tail : b.data + span.panel * b.panel_step,
      .b_stride = tail ? kPanelColumns<T> : b.stride,
      .depth = depth,
      .columns = columns,
      .c = c.data + span.row * c.stride + column,
      .bias = c.bias == nullptr ? nullptr : c.bias + column,
      .mask = c.mask == nullptr ? nullptr : c.mask + span.row * c.mask_stride + column,
      .fetch = b.data,
      .fetch_step = 0,
      .fetch_jump = 0};
  const std::size_t rows_down = span.down ? span.rows : 0;
  const std::size_t columns_along = span.down ? 0 : kPanelColumns<T>;
  for (std::size_t i = 0; i < span.count; ++i) {
    if (b.next != nullptr) {
      set_fetch(b, span.first + i, operands);
    }
    compute(operands, c);
    operands.a += rows_down * row_step;
    operands.b += span.down ? 0 : b.panel_step;
    operands.c += rows_down * c.stride + columns_along;
    operands.bias += c.bias == nullptr ? 0 : columns_along;
    operands.mask += c.mask == nullptr ? 0 : rows_down * c.mask_stride + columns_along;
  }
}

/// All rows of C, one panel's columns.
template <class T>
void multiply_panel(const LeftBlock<T>& a, const RightBlock<T>& b, std::size_t depth,
                    std::size_t panel, const TargetBlock<T>& c) {
  TileSpan span{0, 0, panel, 0, 0, true};
  while (span.row < c.rows) {
    std::size_t left = c.rows - span.row;
    span.rows = next_tile_rows(left);
    for (span.count = 0; left > 0 && next_tile_rows(left) == span.rows; ++span.count) {
      left -= span.rows;
    }
    multiply_span(a, b, depth, span, c);
    span.row += span.count * span.rows;
    span.first += span.count;
  }
}

template <class T>
void multiply(const LeftBlock<T>& a, const RightBlock<T>& b, std::size_t depth, LoopOrder order,
              const TargetBlock<T>& c) {
  const std::size_t whole = c.columns / kPanelColumns<T>;
  std::size_t panel = 0;
  if (order == LoopOrder::kRowsOutside && whole > 1) {
    TileSpan span{0, 0, 0, whole, 0, false};
    for (; span.row < c.rows; span.row += span.rows) {
      span.rows = next_tile_rows(c.rows - span.row);
      multiply_span(a, b, depth, span, c);
    }
    panel = whole;
  }
  for (; panel * kPanelColumns<T> < c.columns; ++panel) {
    multiply_panel(a, b, depth, panel, c);
  }
}

template <class T>
void pack_panel(const T* b, std::size_t stride, std::size_t depth, std::size_t columns, T* panel) {
  const Tag<T> d;
  for (std::size_t p = 0; p < depth; ++p) {
    T* to = panel + p * kPanelColumns<T>;
    for_vectors<T>(columns, [&](std::size_t j, auto place) HWY_ATTR {
      hn::StoreU(place.load(b + p * stride + j), d, to + j);
    });
  }
}

/// Stores what `load_turned` loads from row(0), ... at depth p on into rows p on of a panel.
template <class T, std::size_t kQuads>
HWY_INLINE void turn_into_panel(const T* rows, std::size_t stride, std::size_t p, T* panel) {
  const Tag<T> d;
  Vector<T> columns[kQuads][kQuad<T>];
  load_turned<Tag<T>, kQuads>(
      d, [&](std::size_t j) HWY_ATTR { return rows + j * stride + p; }, columns);
  unroll<kQuads>([&](auto q) HWY_ATTR {
    unroll<kQuad<T>>([&](auto r) HWY_ATTR {
      hn::StoreU(columns[q][r], d, panel + (p + q * kQuad<T> + r) * kPanelColumns<T>);
    });
  });
}

template <class T>
HWY_FLATTEN void pack_panel_transposed(const T* b, std::size_t stride, std::size_t depth,
                                       std::size_t columns, T* panel) {
  const std::size_t whole = columns / kLanes<T> * kLanes<T>;
  for (std::size_t j = 0; j < whole; j += kLanes<T>) {
    const T* rows = b + j * stride;
    std::size_t p = 0;
    for (; p + kQuadsAtOnce * kQuad<T> <= depth; p += kQuadsAtOnce * kQuad<T>) {
      turn_into_panel<T, kQuadsAtOnce>(rows, stride, p, panel + j);
    }
    for (; p + kQuad<T> <= depth; p += kQuad<T>) {
      turn_into_panel<T, 1>(rows, stride, p, panel + j);
    }
    for (; p < depth; ++p) {
      for (std::size_t lane = 0; lane < kLanes<T>; ++lane) {
        panel[p * kPanelColumns<T> + j + lane] = rows[lane * stride + p];
      }
    }
  }
  if (whole < columns) {
    transpose_matrix(b + whole * stride, stride, columns - whole, depth, panel + whole,
                     kPanelColumns<T>);
    for (std::size_t p = 0; p < depth; ++p) {
      std::fill(panel + p * kPanelColumns<T> + columns,
                panel + p * kPanelColumns<T> + whole + kLanes<T>, T{0});
    }
  }
}

template <class T>
void pack_left(const T* a, std::size_t stride, bool depth_major, std::size_t rows,
               std::size_t depth, T* packed) {
  for (std::size_t row = 0; row < rows;) {
    const std::size_t count = next_tile_rows(rows - row);
    T* tile = packed + row * depth;
    if (depth_major) {
      for (std::size_t p = 0; p < depth; ++p) {
        for (std::size_t i = 0; i < count; ++i) {
          tile[p * count + i] = a[p * stride + row + i];
        }
      }
    } else {
      transpose_matrix(a + row * stride, stride, count, depth, tile, count);
    }
    row += count;
  }
}

template <class T>
GemmKernels<T> gemm_kernels() {
  return {{kTileRows, kPanelColumns<T>, kLanes<T>},
          multiply<T>,
          multiply_narrow<T>,
          pack_panel<T>,
          pack_panel_transposed<T>,
          pack_left<T>};
}

void fill_float(GemmKernels<float>& kernels) {
  kernels = gemm_kernels<float>();
}
void fill_double(GemmKernels<double>& kernels) {
  kernels = gemm_kernels<double>();
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/simd/dispatch.hpp"

namespace interpscale::kernels::simd {

INTERPSCALE_SELECT(GemmKernels)

}  // namespace interpscale::kernels::simd
#endif
