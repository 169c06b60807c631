// A matrix product cut into blocks that fit the caches, over a target's kernels, on several
// threads. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/simd/kernel_table.hpp"

namespace interpscale::kernels::simd {

/// How one product is cut up. `depth` and `narrow` decide the rounding (each block of the depth is
/// one chain of FMAs, or one a lane), so they must not depend on the number of threads; the rest
/// may.
struct GemmPlan {
  std::size_t depth;    ///< k a block
  std::size_t columns;  ///< n a block of B
  std::size_t rows;     ///< m a block of A, where A is packed
  bool pack_left;
  bool pack_right;
  bool split_columns;  ///< threads share the columns of C rather than its rows
  bool narrow;         ///< lanes along the depth: of the above only `depth` counts
};

[[nodiscard]] GemmPlan plan_gemm(GemmCase which, GemmShape shape, std::size_t scalar_bytes,
                                 const TileSize& tile, int threads);

template <class T>
void blocked_gemm(const GemmKernels<T>& kernels, GemmCase which, MatrixView<const T> a,
                  MatrixView<const T> b, MatrixView<T> c, const Epilogue<T>& epilogue,
                  const Execution& with);

}  // namespace interpscale::kernels::simd
