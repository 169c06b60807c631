// One layer's dictionary as it is trained and measured, with the backend's products.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"
#include "interpscale/methods/probe.hpp"

namespace interpscale::methods::engine {

/// Scratch that the layers take turns in: codes and their gradients [B, m], residuals [B, w].
struct DictionaryScratch {
  MatrixView<float> codes;
  MatrixView<float> chosen;
  MatrixView<float> gradient;
  MatrixView<float> residual;
  MatrixView<float> squares;

  DictionaryScratch(std::size_t rows, std::size_t latents, std::size_t width, Workspace& workspace);

  /// For `rows` samples of a layer.
  [[nodiscard]] DictionaryScratch part(std::size_t rows, std::size_t latents,
                                       std::size_t width) const;

  [[nodiscard]] static std::uint64_t bytes(std::size_t rows, std::size_t latents,
                                           std::size_t width);
};

/// Weights, and what the last pass adds up. Lives in the workspace; cheap to copy.
class Dictionary {
 public:
  Dictionary(std::size_t width, const MethodOptions& options, Workspace& workspace);

  /// Random atoms, and s from the first block; h [rows, w].
  void begin(const MethodOptions& options, std::size_t layer, MatrixView<const float> h,
             const DictionaryScratch& with, const kernels::Context<float>& context);
  /// One step of gradient descent on a block's mean loss.
  void step(MatrixView<const float> h, double rate, const DictionaryScratch& with,
            const kernels::Context<float>& context);
  /// Adds a block to the sums of the last pass.
  void measure(MatrixView<const float> h, const DictionaryScratch& with,
               const kernels::Context<float>& context);
  /// The rows [m, 3], of `samples` that have been measured.
  void write(std::size_t samples, const DictionaryScratch& with,
             const kernels::Context<float>& context, MatrixView<float> out);

  [[nodiscard]] static std::uint64_t bytes(std::size_t width, const MethodOptions& options);
  [[nodiscard]] static kernels::Flops begin_flops(std::size_t rows, std::size_t latents,
                                                  std::size_t width);
  [[nodiscard]] static kernels::Flops step_flops(std::size_t rows, std::size_t latents,
                                                 std::size_t width);
  [[nodiscard]] static kernels::Flops measure_flops(std::size_t rows, std::size_t latents,
                                                    std::size_t width);

 private:
  enum LatentRow : std::size_t { kBias, kScratch, kCounts, kProducts, kSquares, kLatentRows };
  enum UnitRow : std::size_t {
    kUnitBias,
    kScratchUnit,
    kResiduals,
    kUnitSquares,
    kSums,
    kUnitRows
  };

  /// codes and chosen; residual := xhat - x.
  void reconstruct(MatrixView<const float> h, const DictionaryScratch& with,
                   const kernels::Context<float>& context);
  /// norm(d_i)^2, as many atoms at a time as a block has samples.
  void squared_lengths(const DictionaryScratch& with, std::span<float> lengths,
                       const kernels::Context<float>& context);

  MatrixView<float> encoder_;  // W_e [m, w]
  MatrixView<float> atoms_;    // d [m, w]
  MatrixView<float> latent_;   // b_e, scratch and sums, each [m]
  MatrixView<float> unit_;     // b_d, scratch and sums, each [w]
  std::size_t active_;
  float inverse_scale_ = 0.5F;
};

}  // namespace interpscale::methods::engine
