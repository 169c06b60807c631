// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/blocked_gemm.hpp"

#include <algorithm>

#include "interpscale/core/parallel.hpp"

namespace interpscale::kernels::simd {
namespace {

// An empty fork and join costs about a microsecond; products below 2 * 64^3 FLOPs take less than
// ten on one core and gain nothing (break-even between cubes of 48 and 64 on Zen 4).
constexpr std::size_t kSmallestSharedProduct = 64 * 64 * 64;

std::size_t divide_up(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}

bool worth_sharing(const GemmShape& shape) {
  return shape.m * shape.n * shape.k >= kSmallestSharedProduct;
}

/// The part of [0, extent) of one of `team` threads, in multiples of `step`.
struct Range {
  std::size_t first;
  std::size_t count;
};
Range share_of(std::size_t member, std::size_t team, std::size_t extent, std::size_t step) {
  const std::size_t each = round_up(divide_up(extent, team), step);
  const std::size_t first = std::min(extent, member * each);
  return {first, std::min(each, extent - first)};
}

/// One product on its way: the operands, the plan and the packing buffers. `whole_columns` are
/// those of the product that it may be a part of.
template <class T>
class Product {
 public:
  Product(const ProductKernels<T>& kernels, GemmCase which, const MatrixView<const T>& a,
          const MatrixView<const T>& b, const MatrixView<T>& c, const GemmShape& shape,
          const Epilogue<T>& epilogue, const Execution& with, std::size_t whole_columns)
      : kernels_(kernels.tiles),
        few_(kernels.few),
        which_(which),
        a_(a),
        b_(b),
        c_(c),
        epilogue_(epilogue),
        shape_(shape),
        team_(worth_sharing(shape_) ? std::max(with.threads, 1) : 1),
        plan_(plan_gemm(which, shape_, sizeof(T),
                        {kernels.tiles.tile, kernels.few.at_once, kernels.few.many}, team_,
                        whole_columns)) {
    take_buffers(with.workspace);
    if (epilogue.mask.empty()) {
      return;
    }
    mask_ = epilogue.mask;
    if (mask_.data() == c.data() && plan_.depth < shape_.k) {
      // C is its own mask, and its first block of the depth would overwrite it.
      const MatrixView<T> kept = with.workspace.matrix<T>(shape_.m, shape_.n);
      copy(mask_, kept);
      mask_ = kept;
    }
  }

  void run() {
    if (shape_.m == 0 || shape_.n == 0) {
      return;
    }
    if (plan_.path == GemmPath::kPanels) {
      run_panels();
      return;
    }
    std::size_t depth = 0;
    do {
      run_block({depth, std::min(plan_.depth, shape_.k - depth)});
      depth += plan_.depth;
    } while (depth < shape_.k);
  }

 private:
  [[nodiscard]] std::size_t team() const { return static_cast<std::size_t>(team_); }

  void take_buffers(Workspace& workspace) {
    switch (plan_.path) {
      case GemmPath::kNarrow:
        if (!narrow_in_place()) {
          right_ = workspace.vector<T>(shape_.n * narrow_stride(plan_.depth));
        }
        return;
      case GemmPath::kTiles:
        if (shape_.n % kernels_.tile.lanes != 0) {
          right_ = workspace.vector<T>(panel_size());
        }
        return;
      case GemmPath::kPanels:
        right_ = workspace.vector<T>(panel_size() * team());
        if (plan_.pack_left) {
          left_ = workspace.vector<T>(plan_.rows * plan_.depth * team());
        }
        return;
      default:  // both operands are used where they stand
        return;
    }
  }
  [[nodiscard]] std::size_t panel_size() const { return kernels_.tile.columns * plan_.depth; }

  /// Of packed columns: whole vectors, and a line more, lest lengths that are powers of two put all
  /// columns into the same sets of the cache.
  [[nodiscard]] std::size_t narrow_stride(std::size_t depth) const {
    return round_up(depth, kernels_.tile.lanes) + kCacheLineBytes / sizeof(T);
  }
  /// Whole vectors already, and columns spread over the sets of the cache.
  [[nodiscard]] bool narrow_in_place() const {
    constexpr std::size_t kWayBytes = 4096;
    return shape_.k % kernels_.tile.lanes == 0 && shape_.k <= plan_.depth &&
           b_.leading_dimension() * sizeof(T) * 4 % kWayBytes != 0;
  }

  void run_narrow_block(Range depth) {
    const T* columns = right_at(depth.first, 0);
    std::size_t stride = b_.leading_dimension();
    if (!narrow_in_place()) {
      stride = narrow_stride(depth.count);
      for (std::size_t j = 0; j < shape_.n; ++j) {
        T* packed = right_.data() + j * stride;
        std::fill(std::copy_n(right_at(depth.first, j), depth.count, packed), packed + stride,
                  T{0});
      }
      columns = right_.data();
    }
    parallel_for(team_, team(), [&](std::size_t member) {
      const Range part = share_of(member, team(), shape_.m, kernels_.tile.rows);
      if (part.count > 0) {
        kernels_.multiply_narrow(left_at(part.first, depth.first), columns, stride, depth.count,
                                 target(part, {0, shape_.n}, depth));
      }
    });
  }

  /// Rows of C, or columns, are shared out: whichever are many.
  void run_few_block(Range depth) {
    const bool few_columns = plan_.path == GemmPath::kFewColumns;
    const std::size_t many = few_columns ? shape_.m : shape_.n;
    parallel_for(team_, team(), [&](std::size_t member) {
      const Range part = share_of(member, team(), many, few_.many);
      if (part.count == 0) {
        return;
      }
      const Range rows = few_columns ? part : Range{0, shape_.m};
      const Range columns = few_columns ? Range{0, shape_.n} : part;
      const FewOperands<T> left_few{left_at(0, depth.first).data, a_.leading_dimension(),
                                    right_at(depth.first, part.first), b_.leading_dimension(),
                                    depth.count};
      const FewOperands<T> right_few{right_at(depth.first, 0), b_.leading_dimension(),
                                     left_at(part.first, depth.first).data, a_.leading_dimension(),
                                     depth.count};
      few_.multiply(few_layout(), few_columns ? right_few : left_few, few_columns,
                    target(rows, columns, depth));
    });
  }

  [[nodiscard]] FewLayout few_layout() const {
    switch (which_) {
      case GemmCase::kNT:
        return FewLayout::kBothRows;
      case GemmCase::kNN:  // few columns
        return FewLayout::kFewDepthMajor;
      default:
        return FewLayout::kBothDepthMajor;
    }
  }

  void run_block(Range depth) {
    if (plan_.path == GemmPath::kNarrow) {
      run_narrow_block(depth);
    } else if (plan_.path == GemmPath::kTiles) {
      run_tile_block(depth);
    } else {
      run_few_block(depth);
    }
  }

  /// body(member, rows, columns): its part of C for each thread that has one.
  template <class Body>
  void share_out(const Body& body) {
    parallel_for(team_, team(), [&](std::size_t member) {
      Range rows{0, shape_.m};
      Range columns{0, shape_.n};
      if (team() > 1) {
        (plan_.split_columns ? columns : rows) =
            plan_.split_columns ? share_of(member, team(), shape_.n, kernels_.tile.columns)
                                : share_of(member, team(), shape_.m, kernels_.tile.rows);
      }
      if (rows.count > 0 && columns.count > 0) {
        body(member, rows, columns);
      }
    });
  }

  /// B is used where it stands; only a last panel that does not end on a whole vector is packed.
  void run_tile_block(Range depth) {
    const std::size_t width = kernels_.tile.columns;
    const bool ragged = shape_.n % kernels_.tile.lanes != 0;
    if (ragged) {
      const std::size_t rest = shape_.n % width;
      pack_panel(depth, {shape_.n - rest, rest}, right_.data());
    }
    share_out([&](std::size_t, Range rows, Range columns) {
      const RightBlock<T> right{.data = right_at(depth.first, columns.first),
                                .panel_step = width,
                                .stride = b_.leading_dimension(),
                                .tail = ragged ? right_.data() : nullptr,
                                .next = nullptr,
                                .next_stride = 0,
                                .next_is_transposed = false};
      kernels_.multiply(left_at(rows.first, depth.first), right, depth.count, plan_.order,
                        target(rows, columns, depth));
    });
  }

  void run_panels() {
    share_out([&](std::size_t member, Range rows, Range columns) {
      for (std::size_t row = 0; row < rows.count; row += plan_.rows) {
        const Range block{rows.first + row, std::min(plan_.rows, rows.count - row)};
        std::size_t depth = 0;
        do {
          run_panels_of(member, block, columns, {depth, std::min(plan_.depth, shape_.k - depth)});
          depth += plan_.depth;
        } while (depth < shape_.k);
      }
    });
  }

  /// One thread's: each panel of B is packed, and meets all rows of the block, which meanwhile
  /// fetch the next panel from memory.
  void run_panels_of(std::size_t member, Range rows, Range columns, Range depth) {
    const std::size_t width = kernels_.tile.columns;
    T* panel = right_.data() + member * panel_size();
    LeftBlock<T> left = left_at(rows.first, depth.first);
    if (plan_.pack_left) {
      T* packed = left_.data() + member * plan_.rows * plan_.depth;
      kernels_.pack_left(left.data, left.stride, left.depth_major, rows.count, depth.count, packed);
      left = {packed, 0, true, true};
    }
    for (std::size_t j = 0; j < columns.count; j += width) {
      const Range some{columns.first + j, std::min(width, columns.count - j)};
      pack_panel(depth, some, panel);
      const bool more = j + 2 * width <= columns.count;
      const RightBlock<T> right{.data = panel,
                                .panel_step = 0,
                                .stride = width,
                                .tail = nullptr,
                                .next = more ? right_at(depth.first, some.first + width) : nullptr,
                                .next_stride = b_.leading_dimension(),
                                .next_is_transposed = which_ == GemmCase::kNT};
      kernels_.multiply(left, right, depth.count, LoopOrder::kPanelsOutside,
                        target(rows, some, depth));
    }
  }

  [[nodiscard]] const T* right_at(std::size_t depth, std::size_t column) const {
    return which_ == GemmCase::kNT ? &b_.data()[column * b_.leading_dimension() + depth]
                                   : &b_.data()[depth * b_.leading_dimension() + column];
  }

  void pack_panel(Range depth, Range columns, T* panel) const {
    const auto pack =
        which_ == GemmCase::kNT ? kernels_.pack_panel_transposed : kernels_.pack_panel;
    pack(right_at(depth.first, columns.first), b_.leading_dimension(), depth.count, columns.count,
         panel);
  }

  [[nodiscard]] LeftBlock<T> left_at(std::size_t row, std::size_t depth) const {
    const std::size_t stride = a_.leading_dimension();
    const bool depth_major = which_ == GemmCase::kTN;
    const T* data = a_.data() + (depth_major ? depth * stride + row : row * stride + depth);
    return {data, stride, depth_major, false};
  }

  /// The first block of the depth brings in beta C, the last the rest of the epilogue.
  [[nodiscard]] TargetBlock<T> target(Range rows, Range columns, Range depth) const {
    const bool last = depth.first + depth.count >= shape_.k;
    const bool masked = last && !mask_.empty();
    const T beta = depth.first == 0 ? epilogue_.beta : T{1};
    const bool biased = last && !epilogue_.bias.empty();
    const bool rectified = last && epilogue_.relu;
    return {.data = &c_.data()[rows.first * c_.leading_dimension() + columns.first],
            .stride = c_.leading_dimension(),
            .rows = rows.count,
            .columns = columns.count,
            .alpha = epilogue_.alpha,
            .beta = beta,
            .bias = biased ? epilogue_.bias.data() + columns.first : nullptr,
            .relu = rectified,
            .mask = masked ? mask_.row_data(rows.first) + columns.first : nullptr,
            .mask_stride = masked ? mask_.leading_dimension() : 0,
            .plain = epilogue_.alpha == T{1} && beta == T{0} && !biased && !rectified && !masked};
  }

  const GemmKernels<T>& kernels_;
  const FewKernels<T>& few_;
  // The caller's, who outlives the product: copies would cost small products more than their plan.
  GemmCase which_;
  const MatrixView<const T>& a_;
  const MatrixView<const T>& b_;
  const MatrixView<T>& c_;
  const Epilogue<T>& epilogue_;
  const GemmShape& shape_;
  int team_;
  GemmPlan plan_;
  MatrixView<const T> mask_;
  std::span<T> right_;
  std::span<T> left_;
};

/// Columns [first, first + count) of a product.
template <class T>
void multiply_columns(const ProductKernels<T>& kernels, GemmCase which, MatrixView<const T> a,
                      MatrixView<const T> b, MatrixView<T> c, const Epilogue<T>& epilogue,
                      const Execution& with, Range columns) {
  Epilogue<T> own = epilogue;
  if (!own.bias.empty()) {
    own.bias = own.bias.subspan(columns.first, columns.count);
  }
  if (!own.mask.empty()) {
    own.mask = own.mask.cols_from(columns.first, columns.count);
  }
  const MatrixView<const T> right = which == GemmCase::kNT
                                        ? b.rows_from(columns.first, columns.count)
                                        : b.cols_from(columns.first, columns.count);
  const MatrixView<T> target = c.cols_from(columns.first, columns.count);
  const GemmShape shape = gemm_shape<T>(which, a, right, target, own);
  Product<T>(kernels, which, a, right, target, shape, own, with, c.cols()).run();
}

}  // namespace

template <class T>
void blocked_gemm(const ProductKernels<T>& kernels, GemmCase which, MatrixView<const T> a,
                  MatrixView<const T> b, MatrixView<T> c, const Epilogue<T>& epilogue,
                  const Execution& with) {
  const Workspace::Scope scope(with.workspace);
  const GemmShape shape = gemm_shape<T>(which, a, b, c, epilogue);
  const std::size_t rest = columns_apart(which, shape, kernels.tiles.tile, kernels.few.many);
  if (rest == 0) {
    Product<T>(kernels, which, a, b, c, shape, epilogue, with, shape.n).run();
    return;
  }
  const std::size_t most = shape.n - rest;
  multiply_columns(kernels, which, a, b, c, epilogue, with, {0, most});
  multiply_columns(kernels, which, a, b, c, epilogue, with, {most, rest});
}

template void blocked_gemm(const ProductKernels<float>&, GemmCase, MatrixView<const float>,
                           MatrixView<const float>, MatrixView<float>, const Epilogue<float>&,
                           const Execution&);
template void blocked_gemm(const ProductKernels<double>&, GemmCase, MatrixView<const double>,
                           MatrixView<const double>, MatrixView<double>, const Epilogue<double>&,
                           const Execution&);

}  // namespace interpscale::kernels::simd
