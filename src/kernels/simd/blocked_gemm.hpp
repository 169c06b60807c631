// A matrix product cut into blocks that fit the caches, over a target's kernels, on several
// threads. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/simd/kernel_table.hpp"

namespace interpscale::kernels::simd {

/// Which kernels do it.
enum class GemmPath {
  kTiles,       ///< register tiles over blocks of A and B
  kNarrow,      ///< lanes along the depth, for few columns
  kFewRows,     ///< lanes along C's columns, turned in registers
  kFewColumns,  ///< lanes along C's rows, turned in registers unless A is transposed
};

/// How one product is cut up. `depth` and kNarrow decides the rounding (each block of the depth is
/// one chain of FMAs, or with kNarrow one a lane), so they must not depend on the number of
/// threads, nor in X W^T on the number of rows; the rest may.
struct GemmPlan {
  GemmPath path;        ///< other than kTiles: of the below only `depth` counts
  std::size_t depth;    ///< k a block
  std::size_t columns;  ///< n a block of B
  std::size_t rows;     ///< m a block of A, where A is packed
  bool pack_left;
  bool pack_right;
  bool split_columns;  ///< threads share the columns of C rather than its rows
};

/// What a plan needs to know of the kernels.
struct KernelSizes {
  TileSize tile;
  std::size_t few;   ///< FewKernels::at_once
  std::size_t many;  ///< FewKernels::many
};

[[nodiscard]] GemmPlan plan_gemm(GemmCase which, GemmShape shape, std::size_t scalar_bytes,
                                 const KernelSizes& sizes, int threads);

/// The kernels of all paths.
template <class T>
struct ProductKernels {
  const GemmKernels<T>& tiles;
  const FewKernels<T>& few;
};

template <class T>
void blocked_gemm(const ProductKernels<T>& kernels, GemmCase which, MatrixView<const T> a,
                  MatrixView<const T> b, MatrixView<T> c, const Epilogue<T>& epilogue,
                  const Execution& with);

}  // namespace interpscale::kernels::simd
