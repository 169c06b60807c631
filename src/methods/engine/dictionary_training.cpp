// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/dictionary_training.hpp"

#include <algorithm>

#include "methods/engine/dictionary.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {
namespace {

using kernels::Context;
using kernels::Epilogue;
using kernels::Flops;
using kernels::GemmCase;

/// bias += factor times the column sums.
void descend(MatrixView<const float> gradient, float factor, std::span<float> scratch,
             std::span<float> bias, const Context<float>& context) {
  context.backend.column_sums(gradient, 0.0F, scratch, context);
  for (std::size_t i = 0; i < bias.size(); ++i) {
    bias[i] += factor * scratch[i];
  }
}

Flops reconstruct_flops(std::size_t rows, std::size_t latents, std::size_t width) {
  return kernels::gemm_flops({rows, latents, width}, {.scaled = true, .biased = true}) +
         kernels::gemm_flops({rows, width, latents},
                             {.accumulated = true, .beta_is_one = false, .biased = true});
}

}  // namespace

DictionaryScratch::DictionaryScratch(std::size_t rows, std::size_t latents, std::size_t width,
                                     Workspace& workspace)
    : codes(workspace.matrix<float>(rows, latents)),
      chosen(workspace.matrix<float>(rows, latents)),
      gradient(workspace.matrix<float>(rows, latents)),
      residual(workspace.matrix<float>(rows, width)),
      squares(workspace.matrix<float>(rows, width)) {}

DictionaryScratch DictionaryScratch::part(std::size_t rows, std::size_t latents,
                                          std::size_t width) const {
  DictionaryScratch result = *this;
  for (MatrixView<float>* wide : {&result.codes, &result.chosen, &result.gradient}) {
    *wide = wide->rows_from(0, rows).cols_from(0, latents);
  }
  for (MatrixView<float>* narrow : {&result.residual, &result.squares}) {
    *narrow = narrow->rows_from(0, rows).cols_from(0, width);
  }
  return result;
}

std::uint64_t DictionaryScratch::bytes(std::size_t rows, std::size_t latents, std::size_t width) {
  return 3 * matrix_bytes<float>(rows, latents) + 2 * matrix_bytes<float>(rows, width);
}

Dictionary::Dictionary(std::size_t width, const MethodOptions& options, Workspace& workspace)
    : encoder_(workspace.matrix<float>(latents_of(options, width), width)),
      atoms_(workspace.matrix<float>(latents_of(options, width), width)),
      latent_(workspace.matrix<float>(kLatentRows, latents_of(options, width))),
      unit_(workspace.matrix<float>(kUnitRows, width)),
      active_(active_of(options, width)) {
  for (const MatrixView<float>& rows : {latent_, unit_}) {
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      std::fill(rows.row(i).begin(), rows.row(i).end(), 0.0F);
    }
  }
}

void Dictionary::begin(const MethodOptions& options, std::size_t layer, MatrixView<const float> h,
                       const DictionaryScratch& with, const Context<float>& context) {
  context.backend.unit_rows(options.seed, atoms_stream(layer), atoms_, context);
  context.backend.copy(atoms_, encoder_, context);
  context.backend.multiply(h, h, with.squares, context);
  context.backend.column_sums(with.squares, 0.0F, unit_.row(kSums), context);
  double squares = 0.0;
  for (const float sum : unit_.row(kSums)) {
    squares += static_cast<double>(sum);
  }
  std::fill(unit_.row(kSums).begin(), unit_.row(kSums).end(), 0.0F);
  inverse_scale_ = static_cast<float>(inverse_scale(squares, h.rows()));
}

void Dictionary::step(MatrixView<const float> h, double rate, const DictionaryScratch& with,
                      const Context<float>& context) {
  reconstruct(h, with, context);
  const auto factor = static_cast<float>(-2.0 * rate / static_cast<double>(h.rows()));
  context.backend.gemm(GemmCase::kNT, with.residual, atoms_, with.gradient,
                       Epilogue<float>{.mask = with.chosen}, context);
  context.backend.gemm(GemmCase::kTN, with.codes, with.residual, atoms_,
                       Epilogue<float>{.alpha = factor, .beta = 1.0F}, context);
  context.backend.gemm(GemmCase::kTN, with.gradient, h, encoder_,
                       Epilogue<float>{.alpha = factor * inverse_scale_, .beta = 1.0F}, context);
  descend(with.gradient, factor, latent_.row(kScratch), latent_.row(kBias), context);
  descend(with.residual, factor, unit_.row(kScratchUnit), unit_.row(kUnitBias), context);
}

void Dictionary::measure(MatrixView<const float> h, const DictionaryScratch& with,
                         const Context<float>& context) {
  reconstruct(h, with, context);
  context.backend.gemm(GemmCase::kNT, with.residual, atoms_, with.gradient, {}, context);
  context.backend.multiply(with.codes, with.gradient, with.gradient, context);
  context.backend.multiply(with.codes, with.codes, with.codes, context);
  context.backend.multiply(with.residual, with.residual, with.residual, context);
  context.backend.multiply(h, h, with.squares, context);
  context.backend.column_sums(with.chosen, 1.0F, latent_.row(kCounts), context);
  context.backend.column_sums(with.gradient, 1.0F, latent_.row(kProducts), context);
  context.backend.column_sums(with.codes, 1.0F, latent_.row(kSquares), context);
  context.backend.column_sums(with.residual, 1.0F, unit_.row(kResiduals), context);
  context.backend.column_sums(with.squares, 1.0F, unit_.row(kUnitSquares), context);
  context.backend.column_sums(h, 1.0F, unit_.row(kSums), context);
}

void Dictionary::write(std::size_t samples, const DictionaryScratch& with,
                       const Context<float>& context, MatrixView<float> out) {
  const std::span<float> lengths = latent_.row(kScratch);
  squared_lengths(with, lengths, context);
  const double inverse = static_cast<double>(inverse_scale_);
  double squares = 0.0;
  double squared_sums = 0.0;
  double residuals = 0.0;
  for (std::size_t j = 0; j < unit_.cols(); ++j) {
    const double sum = static_cast<double>(unit_(kSums, j)) * inverse;
    squares += static_cast<double>(unit_(kUnitSquares, j)) * inverse * inverse;
    squared_sums += sum * sum;
    residuals += static_cast<double>(unit_(kResiduals, j));
  }
  const double variance = variance_to_explain(squares, squared_sums, samples);
  for (std::size_t i = 0; i < out.rows(); ++i) {
    const double grows =
        static_cast<double>(lengths[i]) * static_cast<double>(latent_(kSquares, i)) -
        2.0 * static_cast<double>(latent_(kProducts, i));
    out(i, 0) = latent_(kCounts, i) / static_cast<float>(samples);
    out(i, 1) = static_cast<float>(share_of(grows, variance));
    out(i, 2) = static_cast<float>(share_of(variance - residuals, variance));
  }
}

std::uint64_t Dictionary::bytes(std::size_t width, const MethodOptions& options) {
  const std::size_t latents = latents_of(options, width);
  return 2 * matrix_bytes<float>(latents, width) + matrix_bytes<float>(kLatentRows, latents) +
         matrix_bytes<float>(kUnitRows, width);
}

Flops Dictionary::begin_flops(std::size_t rows, std::size_t latents, std::size_t width) {
  return kernels::unit_rows_flops(latents, width) +
         kernels::multiply_flops(std::uint64_t{rows} * width) +
         kernels::column_sums_flops(rows, width, false);
}

Flops Dictionary::step_flops(std::size_t rows, std::size_t latents, std::size_t width) {
  const kernels::EpilogueCost descend{.scaled = true, .accumulated = true, .beta_is_one = true};
  return reconstruct_flops(rows, latents, width) + kernels::gemm_flops({rows, latents, width}) +
         2 * kernels::gemm_flops({latents, width, rows}, descend) +
         kernels::column_sums_flops(rows, latents, false) +
         kernels::column_sums_flops(rows, width, false);
}

Flops Dictionary::measure_flops(std::size_t rows, std::size_t latents, std::size_t width) {
  return reconstruct_flops(rows, latents, width) + kernels::gemm_flops({rows, latents, width}) +
         2 * kernels::multiply_flops(std::uint64_t{rows} * latents) +
         2 * kernels::multiply_flops(std::uint64_t{rows} * width) +
         3 * kernels::column_sums_flops(rows, latents, true) +
         3 * kernels::column_sums_flops(rows, width, true);
}

void Dictionary::reconstruct(MatrixView<const float> h, const DictionaryScratch& with,
                             const Context<float>& context) {
  // All codes first, where their gradients will be.
  context.backend.gemm(GemmCase::kNT, h, encoder_, with.gradient,
                       Epilogue<float>{.alpha = inverse_scale_, .bias = latent_.row(kBias)},
                       context);
  context.backend.keep_largest(active_, with.gradient, with.codes, with.chosen, context);
  context.backend.copy(h, with.residual, context);
  context.backend.gemm(GemmCase::kNN, with.codes, atoms_, with.residual,
                       Epilogue<float>{.beta = -inverse_scale_, .bias = unit_.row(kUnitBias)},
                       context);
}

void Dictionary::squared_lengths(const DictionaryScratch& with, std::span<float> lengths,
                                 const Context<float>& context) {
  const MatrixView<float> ones = unit_.rows_from(kScratchUnit, 1);
  std::fill(ones.row(0).begin(), ones.row(0).end(), 1.0F);
  const std::size_t block = with.squares.rows();
  for (std::size_t first = 0; first < atoms_.rows(); first += block) {
    const std::size_t count = std::min(block, atoms_.rows() - first);
    const MatrixView<const float> atoms = atoms_.rows_from(first, count);
    const MatrixView<float> squares = with.squares.rows_from(0, count);
    const MatrixView<float> result(lengths.data() + first, 1, count, count);
    context.backend.multiply(atoms, atoms, squares, context);
    context.backend.gemm(GemmCase::kNT, ones, squares, result, {}, context);
  }
}

}  // namespace interpscale::methods::engine
