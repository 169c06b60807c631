// Which blocks a product is cut into. Measured on a Zen 4 core (32 KiB / 1 MiB / 32 MiB of cache).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/simd/blocked_gemm.hpp"

namespace interpscale::kernels::simd {
namespace {

// Half of a second-level cache of 1 MiB for B; A's tiles and C pass through the rest.
constexpr std::size_t kRightBlockBytes = std::size_t{512} << 10U;
// A longer block of the depth saves passes over C, a shorter one keeps six rows of A in the
// first-level cache: 6 * 1024 floats are 24 KiB.
constexpr std::size_t kLongDepthBytes = 4096;
// Packing B costs a pass over it: with fewer rows of A there is too little work to pay for it.
constexpr std::size_t kPackRightFromRows = 64;
// Where B's rows lie two pages apart or more, every depth of a panel is a page of its own: packing,
// which fetches the next panel meanwhile, pays much sooner.
constexpr std::size_t kFarRowBytes = 8192;
constexpr std::size_t kPackFarRightFromRows = 24;
// A B that is read where it stands and does not fit: so few rows walk down panel after panel.
constexpr std::size_t kPanelOrderRows = 12;
// Enough of them to pay for packing even a B that fits the second-level cache, unless A is read
// down its columns (1024 x 1024 x 128 NN: 82 % unpacked, 93 % packed).
constexpr std::size_t kManyRows = 512;
// A is packed, in blocks of rows that leave room for two panels of B in the second-level cache,
// where it is read down its columns and enough panels share the cost.
constexpr std::size_t kPackLeftFromColumns = 4096;
constexpr std::size_t kPackLeftFromRows = 96;
// Blocks of the depth are short in a transposed A's products from here on, packed or not.
constexpr std::size_t kLongRowColumns = 2048;
constexpr std::size_t kPackedDepthBytes = 2048;
constexpr std::size_t kPackedLeftBytes = std::size_t{512} << 10U;
// Sums over the lanes of a product with few columns cost as much as so many FMAs an element. Three
// are measured with many rows; 32 x 10 x 64 gains a fifth where 512 x 10 x 64 loses 3 %, hence two.
constexpr std::size_t kLaneSumCost = 2;
// There, four rows of A and all of B's columns are to stay in the first-level cache.
constexpr std::size_t kNarrowDepthBytes = 2048;
// The kernels for few columns cost a row as much as so many depths (A transposed: no turning)
// before they save (lanes left empty + 1 or 2) / 16 of every depth. 128 x 10 x 16 NN takes 0.93 us
// with them and 0.82 in tiles; at a depth of 64 they take 2.2, tiles 2.5 (of 16 columns).
constexpr std::size_t kFewColumnsCost = 352;
constexpr std::size_t kFewColumnsCostStraight = 180;

// Two threads share B's panels rather than C's rows where each gets at least so many.
constexpr std::size_t kPanelsAThread = 2;

// A vector of 16 lanes of which at most 8 (A transposed) or 5 hold columns costs as much as a full
// one; the kernels for few columns pay for what there is, and a fifth of a microsecond.
constexpr std::size_t kLeastLanesApart = 8;
constexpr std::size_t kLeastDepthApart = 32;
constexpr std::size_t kLeastWorkApart = 2048;

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
bool is_narrow(GemmCase which, const GemmShape& shape, std::size_t lanes) {
  if (which != GemmCase::kNT || shape.n > kMostNarrowColumns) {
    return false;
  }
  return shape.n * (divide_up(shape.k, lanes) + kLaneSumCost) <=
         shape.k * divide_up(shape.n, lanes);
}

/// Is B to be packed where its panels are read more than once?
bool packs_right(GemmCase which, const GemmShape& shape, std::size_t scalar_bytes) {
  if (which == GemmCase::kNT) {
    return true;
  }
  const bool many_rows = which != GemmCase::kTN && shape.m >= kManyRows;
  const std::size_t fits = many_rows ? kRightBlockBytes / 2 : kRightBlockBytes;
  const bool far = shape.n * scalar_bytes >= kFarRowBytes;
  return shape.m >= (far ? kPackFarRightFromRows : kPackRightFromRows) &&
         shape.n * shape.k * scalar_bytes > fits;
}

/// Do few columns pay as lanes along the rows of C, rather than tiles of part of a vector?
bool few_columns_pay(GemmCase which, const GemmShape& shape, const KernelSizes& sizes) {
  if (shape.n > sizes.few || shape.n % sizes.tile.lanes == 0 || shape.m < sizes.many) {
    return false;
  }
  const std::size_t empty = round_up(shape.n, sizes.tile.lanes) - shape.n;
  return which == GemmCase::kTN ? shape.k * (empty + 1) >= kFewColumnsCostStraight
                                : shape.k * (empty + 2) >= kFewColumnsCost;
}

GemmPath path_of(GemmCase which, const GemmShape& shape, std::size_t scalar_bytes,
                 const KernelSizes& sizes) {
  if (is_narrow(which, shape, sizes.tile.lanes)) {
    return GemmPath::kNarrow;
  }
  if (few_columns_pay(which, shape, sizes)) {
    return GemmPath::kFewColumns;
  }
  if (which == GemmCase::kNT && shape.k > 0 && shape.m <= sizes.few && shape.n >= sizes.many) {
    return GemmPath::kFewRows;
  }
  return packs_right(which, shape, scalar_bytes) ? GemmPath::kPanels : GemmPath::kTiles;
}

}  // namespace

std::size_t columns_apart(GemmCase which, const GemmShape& shape, const TileSize& tile,
                          std::size_t many) {
  if (shape.n <= tile.lanes || tile.lanes < kLeastLanesApart) {
    return 0;
  }
  const std::size_t rest = shape.n % tile.lanes;
  const bool straight = which == GemmCase::kTN;
  if (rest == 0 || rest > tile.lanes / (straight ? 2 : 3)) {
    return 0;
  }
  if (which == GemmCase::kNT) {
    return shape.k >= kLeastDepthApart ? rest : 0;
  }
  return shape.m >= many && shape.m * shape.k >= kLeastWorkApart ? rest : 0;
}

GemmPlan plan_gemm(GemmCase which, const GemmShape& shape, std::size_t scalar_bytes,
                   const KernelSizes& sizes, int threads, std::size_t whole_columns) {
  const TileSize& tile = sizes.tile;
  const GemmPath path = path_of(which, shape, scalar_bytes, sizes);
  const bool pack_left = path == GemmPath::kPanels && which == GemmCase::kTN &&
                         shape.m >= kPackLeftFromRows && shape.n >= kPackLeftFromColumns;
  // Callers split a transposed A's rows by the number of threads: `pack_left` has no say.
  const bool long_rows = which == GemmCase::kTN && whole_columns >= kLongRowColumns;
  std::size_t most_depth = long_rows ? kPackedDepthBytes : kLongDepthBytes;
  std::size_t depth_step = 4;
  if (path == GemmPath::kNarrow) {
    most_depth = kNarrowDepthBytes;
    depth_step = tile.lanes;
  }
  const std::size_t depth = equal_blocks(shape.k, most_depth / scalar_bytes, depth_step);
  const std::size_t rows =
      pack_left ? equal_blocks(shape.m, kPackedLeftBytes / (depth * scalar_bytes), tile.rows)
                : shape.m;
  const auto team = static_cast<std::size_t>(std::max(threads, 1));
  // Rows, unless each thread would have few of them, or would pack all of a large B for itself.
  const bool few_rows = shape.m < 2 * team * tile.rows;
  const bool many_panels =
      path == GemmPath::kPanels && shape.n >= kPanelsAThread * team * tile.columns;
  const bool right_fits = shape.n * shape.k * scalar_bytes <= kRightBlockBytes;
  return {.path = path,
          .depth = depth,
          .rows = rows,
          .pack_left = pack_left,
          .split_columns = few_rows || many_panels,
          .order = right_fits || shape.m > kPanelOrderRows ? LoopOrder::kRowsOutside
                                                           : LoopOrder::kPanelsOutside};
}

}  // namespace interpscale::kernels::simd
