// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/ascent.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "interpscale/core/parallel.hpp"
#include "methods/engine/layer_stack.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {

using kernels::Context;
using kernels::Flops;

Ascent::Ascent(std::size_t rows, std::size_t inputs, std::size_t widest, double radius,
               const Context<float>& context)
    : context_(context),
      radius_(static_cast<float>(radius)),
      points_(context.workspace.matrix<float>(rows + 1, inputs)),
      gradients_(context.workspace.matrix<float>(rows, inputs)),
      trials_(context.workspace.matrix<float>(rows, inputs)),
      fresh_(context.workspace.matrix<float>(rows, inputs)),
      ones_(context.workspace.matrix<float>(1, std::max(inputs, widest))),
      sums_(context.workspace.matrix<float>(rows, 1)),
      values_(context.workspace.vector<float>(rows)),
      trial_values_(context.workspace.vector<float>(rows)),
      shares_(context.workspace.vector<float>(rows)),
      factors_(context.workspace.vector<float>(rows)),
      bases_(context.workspace.vector<std::uint32_t>(rows)),
      rows_of_(context.workspace.vector<std::uint32_t>(rows)) {
  clear(points_.rows_from(rows, 1));
  std::fill(ones_.row(0).begin(), ones_.row(0).end(), 1.0F);
  std::iota(rows_of_.begin(), rows_of_.end(), 0U);
}

void Ascent::begin(std::size_t rows) {
  require(rows <= shares_.size(), "ascent: more walks than were asked for");
  rows_ = rows;
  std::fill(shares_.begin(), shares_.end(), 1.0F);
}

void Ascent::dots(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> product,
                  std::span<float> out) const {
  context_.backend.multiply(a, b, product, context_);
  const MatrixView<float> sums = sums_.rows_from(0, a.rows());
  context_.backend.gemm(kernels::GemmCase::kNT, product, ones_.cols_from(0, a.cols()), sums, {},
                        context_);
  for (std::size_t r = 0; r < out.size(); ++r) {
    out[r] = sums(r, 0);
  }
}

void Ascent::propose() {
  const auto zero_row = static_cast<std::uint32_t>(points_.rows() - 1);
  const std::span<float> factors = factors_.first(rows_);
  const kernels::SparseRows<float> from_bases{bases_.first(rows_), rows_of_.first(rows_), factors};
  dots(gradients(), gradients(), trial_gradients(), factors);
  for (std::size_t r = 0; r < rows_; ++r) {
    const float norm = std::sqrt(factors[r]);
    const bool infinite = norm > 0.0F && shares_[r] == 1.0F;
    bases_[r] = infinite ? zero_row : static_cast<std::uint32_t>(r);
    const float step = infinite ? radius_ : radius_ * shares_[r] / (1.0F - shares_[r]);
    factors[r] = norm > 0.0F ? step / norm : 0.0F;
  }
  context_.backend.rank_one_rows(points_, gradients(), from_bases, false, trial_gradients(),
                                 context_);
  dots(trial_gradients(), trial_gradients(), trials(), factors);
  for (std::size_t r = 0; r < rows_; ++r) {
    const float norm = std::sqrt(factors[r]);
    bases_[r] = zero_row;
    factors[r] = norm > radius_ ? radius_ / norm : 1.0F;
  }
  context_.backend.rank_one_rows(points_, trial_gradients(), from_bases, false, trials(), context_);
}

void Ascent::decide(bool last) {
  parallel_for(context_.threads, rows_, [&](std::size_t r) {
    const bool taken = trial_values_[r] > values_[r];
    shares_[r] = next_share(shares_[r], taken);
    if (!taken) {
      return;
    }
    values_[r] = trial_values_[r];
    std::copy(trials_.row(r).begin(), trials_.row(r).end(), points_.row_data(r));
    if (!last) {
      std::copy(fresh_.row(r).begin(), fresh_.row(r).end(), gradients_.row_data(r));
    }
  });
}

Flops Ascent::dots_flops(std::size_t rows, std::size_t cols) {
  return kernels::multiply_flops(std::uint64_t{rows} * cols) + kernels::gemm_flops({rows, 1, cols});
}

Flops Ascent::propose_flops(std::size_t rows, std::size_t inputs) {
  return 2 * (dots_flops(rows, inputs) + kernels::rank_one_rows_flops(rows, inputs));
}

std::uint64_t Ascent::bytes(std::size_t rows, std::size_t inputs, std::size_t widest) {
  return matrix_bytes<float>(rows + 1, inputs) + 3 * matrix_bytes<float>(rows, inputs) +
         matrix_bytes<float>(1, std::max(inputs, widest)) + matrix_bytes<float>(rows, 1) +
         4 * vector_bytes<float>(rows) + 2 * vector_bytes<std::uint32_t>(rows);
}

}  // namespace interpscale::methods::engine
