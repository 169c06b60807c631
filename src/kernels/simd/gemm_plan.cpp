// Which blocks a product is cut into. Measured on a Zen 4 core (32 KiB / 1 MiB / 32 MiB of cache).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/simd/blocked_gemm.hpp"

namespace interpscale::kernels::simd {
namespace {

// Half of a second-level cache of 1 MiB for a block of B; A's tiles and C pass through the rest.
constexpr std::size_t kRightBlockBytes = std::size_t{512} << 10U;
// Wider blocks of B gain nothing: at 1024 x 1024 x 128 NN, 512 columns get 91 % and 256 get 93 %.
constexpr std::size_t kMostColumns = 256;
// A longer block of the depth saves passes over C, a shorter one keeps six rows of A in the
// first-level cache: 6 * 1024 floats are 24 KiB.
constexpr std::size_t kLongDepthBytes = 4096;
// Packing B costs a pass over it: with fewer rows of A there is too little work to pay for it.
constexpr std::size_t kPackRightFromRows = 64;
// Enough of them to pay for packing even a B that fits the second-level cache, unless A is read
// down its columns (1024 x 1024 x 128 NN: 82 % unpacked, 93 % packed).
constexpr std::size_t kManyRows = 512;
// A is packed only where it is read down columns that are far apart: 4096^3 TN gains four points,
// while NN and NT lose four to five, and 1024^3 TN loses eight.
constexpr std::size_t kPackLeftFromRows = 4096;
constexpr std::size_t kPackLeftFromColumns = 512;
constexpr std::size_t kPackedDepthBytes = 1536;
constexpr std::size_t kPackedRows = 192;
constexpr std::size_t kPackedColumns = 1024;
// Sums over the lanes of a product with few columns cost as much as so many FMAs an element. Three
// are measured with many rows; 32 x 10 x 64 gains a fifth where 512 x 10 x 64 loses 3 %, hence two.
constexpr std::size_t kLaneSumCost = 2;
// There, four rows of A and all of B's columns are to stay in the first-level cache.
constexpr std::size_t kNarrowDepthBytes = 2048;
// With more, too little of a vector along the columns is lost.
constexpr std::size_t kMostFewColumns = 12;

std::size_t divide_up(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}

/// Cuts `extent` into equal blocks of at most `most`, in multiples of `step`.
std::size_t equal_blocks(std::size_t extent, std::size_t most, std::size_t step) {
  if (extent <= most) {
    return std::max(extent, std::size_t{1});
  }
  return round_up(divide_up(extent, divide_up(extent, most)), step);
}

/// Lanes along the depth or along the columns? In vectors of FMAs a row: n (k / lanes) and the sums
/// over the lanes against k (n / lanes), each quotient rounded up. C's rows have no say: a row's
/// bits must not depend on how many there are.
bool is_narrow(GemmCase which, GemmShape shape, std::size_t lanes) {
  if (which != GemmCase::kNT || shape.n > kMostNarrowColumns) {
    return false;
  }
  return shape.n * (divide_up(shape.k, lanes) + kLaneSumCost) <=
         shape.k * divide_up(shape.n, lanes);
}

GemmPath path_of(GemmCase which, GemmShape shape, const KernelSizes& sizes) {
  if (is_narrow(which, shape, sizes.tile.lanes)) {
    return GemmPath::kNarrow;
  }
  if (shape.n <= kMostFewColumns && shape.n % sizes.tile.lanes != 0 && shape.m >= sizes.many) {
    return GemmPath::kFewColumns;
  }
  if (which == GemmCase::kNT && shape.m <= sizes.few && shape.n >= sizes.many) {
    return GemmPath::kFewRows;
  }
  return GemmPath::kTiles;
}

}  // namespace

GemmPlan plan_gemm(GemmCase which, GemmShape shape, std::size_t scalar_bytes,
                   const KernelSizes& sizes, int threads) {
  const TileSize& tile = sizes.tile;
  const GemmPath path = path_of(which, shape, sizes);
  const bool pack_left =
      which == GemmCase::kTN && shape.m >= kPackLeftFromRows && shape.n >= kPackLeftFromColumns;
  const std::size_t most_depth = (path == GemmPath::kNarrow ? kNarrowDepthBytes
                                  : pack_left               ? kPackedDepthBytes
                                                            : kLongDepthBytes) /
                                 scalar_bytes;
  const std::size_t depth =
      equal_blocks(shape.k, most_depth, path == GemmPath::kNarrow ? tile.lanes : 4);

  const bool many_rows = which != GemmCase::kTN && shape.m >= kManyRows;
  const std::size_t fits = many_rows ? kRightBlockBytes / 2 : kRightBlockBytes;
  const bool right_fits = shape.n * shape.k * scalar_bytes <= fits;
  const bool pack_right =
      which == GemmCase::kNT || pack_left || (!right_fits && shape.m >= kPackRightFromRows);
  const auto team = static_cast<std::size_t>(std::max(threads, 1));
  const bool split_columns = shape.m < 2 * team * tile.rows;
  std::size_t columns = std::max(shape.n, std::size_t{1});
  if (pack_right && path == GemmPath::kTiles) {
    const std::size_t fitting = std::min(kRightBlockBytes / (depth * scalar_bytes), kMostColumns);
    const std::size_t most = pack_left ? kPackedColumns : fitting * (split_columns ? team : 1);
    columns =
        equal_blocks(shape.n, std::max(round_up(most, tile.columns), tile.columns), tile.columns);
  }
  return {.path = path,
          .depth = depth,
          .columns = columns,
          .rows = kPackedRows / tile.rows * tile.rows,
          .pack_left = pack_left,
          .pack_right = pack_right,
          .split_columns = split_columns};
}

}  // namespace interpscale::kernels::simd
