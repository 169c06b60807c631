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

/// Rows of the next tile when `left` remain: full tiles, but 7 and 8 are halved, since tiles of one
/// or two rows wait for the FMAs' latency.
HWY_INLINE std::size_t next_tile_rows(std::size_t left) {
  constexpr std::size_t kHalf = (kTileRows + 2) / 2;
  return left > kTileRows && left <= kTileRows + 2 ? kHalf : std::min(left, kTileRows);
}

template <class T>
TileOperands<T> tile_of(const LeftBlock<T>& a, std::size_t row, std::size_t rows,
                        std::size_t depth) {
  if (a.packed) {
    return {a.data + row * depth, rows, nullptr, 0, depth};
  }
  return {a.depth_major ? a.data + row : a.data + row * a.stride, a.stride, nullptr, 0, depth};
}

/// C's rows [row, row + rows), all columns of panel q.
template <class T>
void multiply_tile(const LeftBlock<T>& a, const RightBlock<T>& b, std::size_t depth,
                   std::size_t row, std::size_t rows, std::size_t panel, const TargetBlock<T>& c) {
  const std::size_t column = panel * kPanelColumns<T>;
  const std::size_t columns = std::min(kPanelColumns<T>, c.columns - column);
  TileOperands<T> operands = tile_of(a, row, rows, depth);
  const bool tail = columns < kPanelColumns<T> && b.tail != nullptr;
  operands.b = tail ? b.tail : b.data + panel * b.panel_step;
  operands.b_stride = tail ? kPanelColumns<T> : b.stride;
  TargetBlock<T> target = c;
  target.data += row * c.stride;
  if (c.mask != nullptr) {
    target.mask += row * c.mask_stride;
  }
  const std::size_t vectors = (columns + kLanes<T> - 1) / kLanes<T>;
  tile_function<T>(a.packed || a.depth_major, rows, vectors)(operands, target, column, columns);
}

template <class T>
void multiply(const LeftBlock<T>& a, const RightBlock<T>& b, std::size_t depth, LoopOrder order,
              const TargetBlock<T>& c) {
  const std::size_t panels = (c.columns + kPanelColumns<T> - 1) / kPanelColumns<T>;
  if (order == LoopOrder::kRowsOutside) {
    for (std::size_t row = 0; row < c.rows;) {
      const std::size_t rows = next_tile_rows(c.rows - row);
      for (std::size_t panel = 0; panel < panels; ++panel) {
        multiply_tile(a, b, depth, row, rows, panel, c);
      }
      row += rows;
    }
    return;
  }
  for (std::size_t panel = 0; panel < panels; ++panel) {
    for (std::size_t row = 0; row < c.rows;) {
      const std::size_t rows = next_tile_rows(c.rows - row);
      multiply_tile(a, b, depth, row, rows, panel, c);
      row += rows;
    }
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

template <class T>
void pack_panel_transposed(const T* b, std::size_t stride, std::size_t depth, std::size_t columns,
                           T* panel) {
  transpose_matrix(b, stride, columns, depth, panel, kPanelColumns<T>);
  const std::size_t end = (columns + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
  if (columns < end) {
    for (std::size_t p = 0; p < depth; ++p) {
      std::fill(panel + p * kPanelColumns<T> + columns, panel + p * kPanelColumns<T> + end, T{0});
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

HWY_EXPORT(fill_float);
HWY_EXPORT(fill_double);

void select(TargetBit target, GemmKernels<float>& kernels) {
  call_for(target, HWY_DISPATCH_TABLE(fill_float), kernels);
}
void select(TargetBit target, GemmKernels<double>& kernels) {
  call_for(target, HWY_DISPATCH_TABLE(fill_double), kernels);
}

}  // namespace interpscale::kernels::simd
#endif
