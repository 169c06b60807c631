// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/cholesky.hpp"

#include <algorithm>

#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {
namespace {

using kernels::Context;
using kernels::Epilogue;
using kernels::Flops;
using kernels::GemmCase;

/// Columns of the trailing matrix that one product updates: wide enough for a product, narrow
/// enough that little is computed above the diagonal.
constexpr std::size_t kUpdateColumns = 128;

constexpr Epilogue<float> kSubtract{.alpha = -1.0F, .beta = 1.0F};
constexpr kernels::EpilogueCost kSubtractCost{
    .scaled = true, .accumulated = true, .beta_is_one = true};

/// The matrix's blocks, and what the factorisation keeps beside it.
class Factorisation {
 public:
  Factorisation(MatrixView<float> a, const Context<float>& context)
      : a_(a),
        context_(context),
        inverses_(context.workspace.matrix<float>(a.rows(), kCholeskyBlock)),
        panel_(context.workspace.matrix<float>(a.rows(), kCholeskyBlock)) {
    for (std::size_t first = 0; first < size(); first += kCholeskyBlock) {
      factor_block(first);
    }
  }

  /// L^-1 x, then L^-T of that.
  void substitute(MatrixView<float> x) {
    const MatrixView<float> buffer = context_.workspace.matrix<float>(kCholeskyBlock, x.cols());
    for (std::size_t first = 0; first < size(); first += kCholeskyBlock) {
      apply_inverse(GemmCase::kNN, first, x, buffer);
      const std::size_t below = first + count(first);
      if (below < size()) {
        context_.backend.gemm(GemmCase::kNN, lower(first), rows(x, first),
                              x.rows_from(below, size() - below), kSubtract, context_);
      }
    }
    for (std::size_t end = size(); end > 0;) {
      const std::size_t first = (end - 1) / kCholeskyBlock * kCholeskyBlock;
      if (end < size()) {
        context_.backend.gemm(GemmCase::kTN, lower(first), x.rows_from(end, size() - end),
                              rows(x, first), kSubtract, context_);
      }
      apply_inverse(GemmCase::kTN, first, x, buffer);
      end = first;
    }
  }

 private:
  [[nodiscard]] std::size_t size() const { return a_.rows(); }
  [[nodiscard]] std::size_t count(std::size_t first) const {
    return std::min(kCholeskyBlock, size() - first);
  }
  [[nodiscard]] MatrixView<float> rows(MatrixView<float> x, std::size_t first) const {
    return x.rows_from(first, count(first));
  }
  [[nodiscard]] MatrixView<float> inverse(std::size_t first) const {
    return inverses_.rows_from(first, count(first)).cols_from(0, count(first));
  }
  /// What stands below a diagonal block: of L, once it is factored.
  [[nodiscard]] MatrixView<float> lower(std::size_t first) const {
    const std::size_t below = first + count(first);
    return a_.rows_from(below, size() - below).cols_from(first, count(first));
  }

  void factor_block(std::size_t first) {
    const std::size_t width = count(first);
    context_.backend.invert_factor(a_.rows_from(first, width).cols_from(first, width),
                                   inverse(first), context_);
    const std::size_t below = first + width;
    if (below == size()) {
      return;
    }
    const MatrixView<float> panel = panel_.rows_from(0, size() - below).cols_from(0, width);
    context_.backend.gemm(GemmCase::kNT, lower(first), inverse(first), panel, {}, context_);
    context_.backend.copy(panel, lower(first), context_);
    for (std::size_t column = below; column < size(); column += kUpdateColumns) {
      const std::size_t columns = std::min(kUpdateColumns, size() - column);
      context_.backend.gemm(GemmCase::kNT, panel.rows_from(column - below, size() - column),
                            panel.rows_from(column - below, columns),
                            a_.rows_from(column, size() - column).cols_from(column, columns),
                            kSubtract, context_);
    }
  }

  void apply_inverse(GemmCase which, std::size_t first, MatrixView<float> x,
                     MatrixView<float> buffer) {
    const MatrixView<float> result = buffer.rows_from(0, count(first));
    context_.backend.gemm(which, inverse(first), rows(x, first), result, {}, context_);
    context_.backend.copy(result, rows(x, first), context_);
  }

  MatrixView<float> a_;
  const Context<float>& context_;
  MatrixView<float> inverses_;  // of each diagonal block's factor, in the block's rows
  MatrixView<float> panel_;
};

}  // namespace

void solve_positive_definite(MatrixView<float> a, MatrixView<float> x,
                             const Context<float>& context) {
  require(a.rows() == a.cols() && x.rows() == a.rows(), "not a square system");
  const Workspace::Scope scope(context.workspace);
  Factorisation factorisation(a, context);
  factorisation.substitute(x);
}

Flops solve_positive_definite_flops(std::size_t n, std::size_t m) {
  Flops flops = 0;
  for (std::size_t first = 0; first < n; first += kCholeskyBlock) {
    const std::size_t width = std::min(kCholeskyBlock, n - first);
    const std::size_t below = first + width;
    flops += kernels::invert_factor_flops(width) + 2 * kernels::gemm_flops({width, m, width});
    if (below == n) {
      continue;
    }
    flops += kernels::gemm_flops({n - below, width, width}) +
             kernels::gemm_flops({n - below, m, width}, kSubtractCost) +
             kernels::gemm_flops({width, m, n - below}, kSubtractCost);
    for (std::size_t column = below; column < n; column += kUpdateColumns) {
      flops += kernels::gemm_flops({n - column, std::min(kUpdateColumns, n - column), width},
                                   kSubtractCost);
    }
  }
  return flops;
}

std::uint64_t cholesky_bytes(std::size_t n, std::size_t m) {
  return 2 * matrix_bytes<float>(n, kCholeskyBlock) + matrix_bytes<float>(kCholeskyBlock, m);
}

}  // namespace interpscale::methods::engine
