// What one instruction set offers: plain functions on one thread, chosen once when a backend is
// made. The backend checks operands and splits the work over threads; nothing here does.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "interpscale/kernels/backend.hpp"
#include "kernels/adam_factors.hpp"

namespace interpscale::kernels::simd {

/// op(A)'s rows [0, rows), depth [0, depth). Depth-major: element (i, p) at data[p * stride + i] (A
/// transposed, or a packed panel); else at data[i * stride + p].
template <class T>
struct LeftBlock {
  const T* data;
  std::size_t stride;  ///< leading dimension; of a packed block: not used, each tile has its own
  bool depth_major;
  bool packed;  ///< tile of r rows starting at row i: data + i * depth, stride r
};

/// Depth [0, depth) of op(B)'s columns, cut into panels of `TileSize::columns`; the last may be
/// narrower and must be readable up to a whole vector, hence may stand elsewhere.
template <class T>
struct RightBlock {
  const T* data;  ///< panel q at data + q * panel_step, element (p, j) at p * stride + j
  std::size_t panel_step;
  std::size_t stride;
  const T* tail;  ///< the narrower last panel, rows of TileSize::columns; nullptr if there is none
  /// A whole panel that is packed next, to be fetched meanwhile: element (p, j) at p * next_stride
  /// + j, or j * next_stride + p of a transposed one; nullptr if there is none.
  const T* next;
  std::size_t next_stride;
  bool next_is_transposed;
};

/// The block of C, and what happens to it. `bias` and `mask` point at the block's first element.
template <class T>
struct TargetBlock {
  T* data;
  std::size_t stride;
  std::size_t rows;
  std::size_t columns;
  T alpha;
  T beta;
  const T* bias;  ///< nullptr: none
  bool relu;
  const T* mask;  ///< nullptr: none
  std::size_t mask_stride;
  bool plain;  ///< none of all this: the product itself is stored
};

enum class LoopOrder {
  kRowsOutside,    ///< each tile of A meets all of B, which stays in the second-level cache
  kPanelsOutside,  ///< each panel of B meets all of A, which stays there
};

/// The extents of the register tiles, which plans need to know.
struct TileSize {
  std::size_t rows;
  std::size_t columns;  ///< of a full tile, and of a packed panel of B
  std::size_t lanes;
};

/// Most columns of C that `multiply_narrow` takes.
constexpr std::size_t kMostNarrowColumns = 16;

/// Operands of a product with few rows or columns, element (i, j) of C for i over the few, j over
/// the many.
template <class T>
struct FewOperands {
  const T* few;
  std::size_t few_stride;
  const T* many;
  std::size_t many_stride;
  std::size_t depth;
};
enum class FewLayout {
  kBothRows,        ///< few[i * few_stride + p], many[j * many_stride + p]
  kFewDepthMajor,   ///< few[p * few_stride + i], many[j * many_stride + p]
  kBothDepthMajor,  ///< few[p * few_stride + i], many[p * many_stride + j]
};

template <class T>
struct GemmKernels {
  TileSize tile;
  /// C block := epilogue(A block B block).
  void (*multiply)(const LeftBlock<T>& a, const RightBlock<T>& b, std::size_t depth,
                   LoopOrder order, const TargetBlock<T>& c);
  /// The same for at most kMostNarrowColumns columns and an A that is neither transposed nor
  /// packed; op(B)'s column j at b + j * b_stride, with zeros behind `depth` up to a whole vector.
  void (*multiply_narrow)(const LeftBlock<T>& a, const T* b, std::size_t b_stride,
                          std::size_t depth, const TargetBlock<T>& c);
  /// panel[p * tile.columns + j] := b[p * stride + j], zeros behind `columns`.
  void (*pack_panel)(const T* b, std::size_t stride, std::size_t depth, std::size_t columns,
                     T* panel);
  /// panel[p * tile.columns + j] := b[j * stride + p], zeros behind `columns`.
  void (*pack_panel_transposed)(const T* b, std::size_t stride, std::size_t depth,
                                std::size_t columns, T* panel);
  /// Packs rows [0, rows) of op(A) tile by tile, as `LeftBlock::packed` wants them.
  void (*pack_left)(const T* a, std::size_t stride, bool depth_major, std::size_t rows,
                    std::size_t depth, T* packed);
};

/// Products with few rows or columns.
template <class T>
struct FewKernels {
  std::size_t at_once;  ///< rows, or columns, in one pass over the others
  std::size_t many;     ///< at least so many of the others must stand in front of the last one
  /// C block := epilogue(product).
  void (*multiply)(FewLayout layout, const FewOperands<T>& operands, bool few_columns,
                   const TargetBlock<T>& c);
};

template <class T>
struct ElementwiseKernels {
  void (*activate)(Activation phi, MatrixView<const T> z, MatrixView<T> h);
  void (*multiply_by_slope)(Activation phi, MatrixView<const T> h, MatrixView<T> g);
  void (*multiply)(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out);
  void (*accumulate_path_step)(MatrixView<const T> next, MatrixView<const T> now,
                               MatrixView<const T> gradient, MatrixView<T> out);
  void (*interpolate)(MatrixView<const T> from, MatrixView<const T> to, T t, MatrixView<T> out);
};

/// `now`, `gradient`, `from_z` and `from_h` may have one row for all.
template <class T>
struct QuotientKernels {
  void (*multiply_change)(MatrixView<const T> next, MatrixView<const T> now,
                          MatrixView<const T> gradient, MatrixView<T> out);
  void (*multiply_by_ratio)(const Ratio<T>& ratio, MatrixView<T> g);
  void (*multiply_by_secants)(Activation phi, const Secants<T>& secants, MatrixView<T> g);
  void (*scale_columns)(std::span<const T> factors, MatrixView<const T> a, MatrixView<T> out);
};

template <class T>
struct ReductionKernels {
  void (*column_sums)(MatrixView<const T> a, T beta, std::span<T> out);
  void (*column_moments)(MatrixView<const T> a, const ColumnMoments<T>& out);
};

template <class T>
struct LossKernels {
  /// gradient may be an empty view: then only the losses are computed.
  void (*cross_entropy)(MatrixView<const T> logits, std::span<const std::uint32_t> labels, T scale,
                        std::span<T> losses, MatrixView<T> gradient);
  void (*soft_cross_entropy)(MatrixView<const T> logits, MatrixView<const T> targets,
                             std::span<T> losses, std::span<T> magnitudes);
  void (*squared_error)(MatrixView<const T> predictions, MatrixView<const T> targets, T scale,
                        std::span<T> losses, MatrixView<T> gradient);
};

template <class T>
struct OptimizerKernels {
  void (*sgd)(const SgdStep<T>& step, std::span<const T> gradient, std::span<T> velocity,
              std::span<T> weights);
  void (*adam)(const AdamStep<T>& step, const AdamFactors<T>& factors, std::span<const T> gradient,
               std::span<T> first, std::span<T> second, std::span<T> weights);
};

template <class T>
struct RowKernels {
  void (*rank_one)(MatrixView<const T> z, MatrixView<const T> columns, const SparseRows<T>& rows,
                   bool relu, MatrixView<T> out);
  void (*transpose)(MatrixView<const T> a, MatrixView<T> out);
};

/// Each works on some units: columns `first_unit`... of h belong to the rows of the Jacobian.
template <class T>
struct JacobianKernels {
  void (*scale)(Activation phi, MatrixView<const T> h, std::size_t inputs, MatrixView<T> jacobian);
  void (*first)(Activation phi, MatrixView<const T> h, MatrixView<const T> weights,
                MatrixView<T> jacobian);
  void (*accumulate)(MatrixView<const T> jacobian, T scale, bool absolute, MatrixView<T> out);
};

/// One row of `rank_one_products`.
template <class T>
struct RestartedRow {
  const T* z;
  const T* column;
  T delta;
  std::size_t width;
};

/// Rows of a packed Jacobian, one sample's: row r is that of units[r].
template <class T>
struct ActiveRows {
  std::span<const std::uint32_t> units;
  const T* gains;  ///< of the sample, by unit; nullptr: none
  T scale;
  bool absolute;
};

/// Parts of the products over active units alone. What is packed needs room for a vector more.
template <class T>
struct ActiveKernels {
  /// packed[r * stride + k] := weights(units[r], the k-th active unit of h).
  void (*gather_columns)(std::span<const T> h, MatrixView<const T> weights,
                         std::span<const std::uint32_t> units, T* packed, std::size_t stride);
  /// panel[p * stride + j] := from(units[p], j), zeros behind up to a whole vector.
  void (*gather_rows)(MatrixView<const T> from, std::span<const std::uint32_t> units, T* panel,
                      std::size_t stride);
  /// packed[k] := max(z + delta column, 0) of the k-th unit with z > 0; and the others where it is
  /// positive, how many: unit and value.
  std::size_t (*restart_row)(const RestartedRow<T>& row, T* packed, std::uint32_t* awakened,
                             T* values);
  /// out := out + bias + sum_k values[k] next(awakened[k], :), and max(., 0) if relu.
  void (*finish_row)(const RestartedLayers<T>& layers, std::span<const std::uint32_t> awakened,
                     const T* values, T* out);
  /// out(r, :) := weights(units[r], :) factors, or without.
  void (*first_rows)(MatrixView<const T> weights, std::span<const std::uint32_t> units,
                     const T* factors, MatrixView<T> out);
  /// out(units[r], :) += scale gains[units[r]] jacobian(r, :).
  void (*accumulate_rows)(const ActiveRows<T>& rows, MatrixView<const T> jacobian,
                          MatrixView<T> out);
};

template <class T>
struct TallyKernels {
  void (*count_positive)(MatrixView<const T> h, std::span<const std::uint32_t> labels,
                         bool accumulate, MatrixView<T> counts);
  void (*mutual_information)(MatrixView<const T> active, std::span<const T> samples,
                             std::span<T> out);
};

template <class T>
struct SelectionKernels {
  std::size_t lanes;
  void (*update_largest)(MatrixView<const T> a, std::size_t first, MatrixView<T> values,
                         MatrixView<T> numbers);
  /// At most `lanes` rows; lists: scratch [2 k, lanes].
  void (*keep_largest)(std::size_t k, MatrixView<const T> a, MatrixView<T> kept,
                       MatrixView<T> chosen, MatrixView<T> lists);
};

template <class T>
struct FactorKernels {
  /// False where a pivot is not positive.
  bool (*invert)(MatrixView<const T> a, MatrixView<T> inverse);
};

/// What passes need; analyses have the four tables above beside it.
template <class T>
struct KernelTable {
  GemmKernels<T> gemm;
  FewKernels<T> few;
  ElementwiseKernels<T> elementwise;
  ReductionKernels<T> reductions;
  LossKernels<T> losses;
  OptimizerKernels<T> optimizers;
  RowKernels<T> rows;
  JacobianKernels<T> jacobian;
  ActiveKernels<T> active;
};

struct ProbeKernels {
  float (*fma)(std::uint64_t repeats);
  std::uint64_t fma_flops_per_repeat;
  float (*read)(std::span<const float> data);
};

/// A bit of Highway's target mask.
using TargetBit = std::int64_t;

/// Compiled in and supported by this machine, best first.
[[nodiscard]] std::vector<TargetBit> available_targets();
[[nodiscard]] std::string target_name(TargetBit target);

// One file each, one overload per scalar type.
void select(TargetBit target, GemmKernels<float>& kernels);
void select(TargetBit target, GemmKernels<double>& kernels);
void select(TargetBit target, FewKernels<float>& kernels);
void select(TargetBit target, FewKernels<double>& kernels);
void select(TargetBit target, ElementwiseKernels<float>& kernels);
void select(TargetBit target, ElementwiseKernels<double>& kernels);
void select(TargetBit target, ReductionKernels<float>& kernels);
void select(TargetBit target, ReductionKernels<double>& kernels);
void select(TargetBit target, LossKernels<float>& kernels);
void select(TargetBit target, LossKernels<double>& kernels);
void select(TargetBit target, OptimizerKernels<float>& kernels);
void select(TargetBit target, OptimizerKernels<double>& kernels);
void select(TargetBit target, RowKernels<float>& kernels);
void select(TargetBit target, RowKernels<double>& kernels);
void select(TargetBit target, JacobianKernels<float>& kernels);
void select(TargetBit target, JacobianKernels<double>& kernels);
void select(TargetBit target, QuotientKernels<float>& kernels);
void select(TargetBit target, QuotientKernels<double>& kernels);
void select(TargetBit target, TallyKernels<float>& kernels);
void select(TargetBit target, TallyKernels<double>& kernels);
void select(TargetBit target, SelectionKernels<float>& kernels);
void select(TargetBit target, SelectionKernels<double>& kernels);
void select(TargetBit target, FactorKernels<float>& kernels);
void select(TargetBit target, FactorKernels<double>& kernels);
void select(TargetBit target, ActiveKernels<float>& kernels);
void select(TargetBit target, ActiveKernels<double>& kernels);
void select(TargetBit target, ProbeKernels& kernels);

}  // namespace interpscale::kernels::simd
