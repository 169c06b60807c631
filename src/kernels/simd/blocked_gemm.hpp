// A matrix product cut into blocks that fit the caches, over a target's kernels, on several
// threads. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/simd/kernel_table.hpp"

namespace interpscale::kernels::simd {

/// Which kernels do it.
enum class GemmPath {
  kTiles,       ///< register tiles over A and B where they stand
  kPanels,      ///< register tiles over panels of B, each packed just before it is used
  kNarrow,      ///< lanes along the depth, for few columns
  kFewRows,     ///< lanes along C's columns, turned in registers
  kFewColumns,  ///< lanes along C's rows, turned in registers unless A is transposed
};

/// How one product is cut up. `depth` and kNarrow decide the rounding (each block of the depth is
/// one chain of FMAs, or with kNarrow one a lane), so they must not depend on the number of
/// threads, nor on the number of C's rows; the rest may.
struct GemmPlan {
  GemmPath path;
  std::size_t depth;   ///< k a block
  std::size_t rows;    ///< m a block of A; kPanels only
  bool pack_left;      ///< kPanels only
  bool split_columns;  ///< threads share the columns of C rather than its rows; tiles and panels
  LoopOrder order;     ///< kTiles only
};

/// What a plan needs to know of the kernels.
struct KernelSizes {
  TileSize tile;
  std::size_t few;   ///< FewKernels::at_once
  std::size_t many;  ///< FewKernels::many
};

/// `whole_columns`: of the product that this one may be some of the columns of. They decide the
/// depth, so that an element's bits do not depend on whether its column is multiplied apart.
[[nodiscard]] GemmPlan plan_gemm(GemmCase which, const GemmShape& shape, std::size_t scalar_bytes,
                                 const KernelSizes& sizes, int threads, std::size_t whole_columns);

/// How many of C's last columns are better multiplied apart, by the kernels for few columns,
/// because they would fill too little of a vector; 0: none. In X W^T the number of rows has no say.
[[nodiscard]] std::size_t columns_apart(GemmCase which, const GemmShape& shape,
                                        const TileSize& tile, std::size_t many);

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
