// Pre-activations of single neurons and their gradients in the inputs, at the points of an ascent:
// for a tile of neurons of one layer at once, or for one neuron as a loop over them has it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"
#include "interpscale/methods/probe.hpp"
#include "methods/engine/ascent.hpp"
#include "methods/engine/layer_stack.hpp"

namespace interpscale::methods::engine {

/// S of the options, which has to be positive.
[[nodiscard]] std::size_t ascent_starts(const MethodOptions& options);

/// Row r of `points` := row r mod S of `starts` [S, cols].
void set_starts(MatrixView<const float> starts, MatrixView<float> points);

/// Of walks of one layer's neurons, S for each: row r is neuron first + r / S. A pass stops below
/// the layer: its own product is one row of weights for each walk.
class AscentTile {
 public:
  /// Scratch for `rows` walks from the context's workspace.
  AscentTile(const Probe<float>& probe, std::size_t layer, std::size_t rows,
             const kernels::Context<float>& context);

  void begin(std::size_t first, std::size_t rows);

  /// values[r] := z at points(r, :); gradients(r, :) := dz/dx there, unless that is an empty view.
  void at(const Ascent& ascent, MatrixView<const float> points, std::span<float> values,
          MatrixView<float> gradients);
  /// The same at the starts, whose own pass is given: activations [S, w_k] of the layers below.
  void at_starts(const LayerStack& starts, const Ascent& ascent, MatrixView<const float> points,
                 std::span<float> values, MatrixView<float> gradients);

  /// Of `at`, and of `at_starts`.
  [[nodiscard]] static kernels::Flops flops(const nn::Topology& topology, std::size_t layer,
                                            std::size_t rows, bool with_gradient);
  [[nodiscard]] static kernels::Flops starts_flops(const nn::Topology& topology, std::size_t layer,
                                                   std::size_t rows, bool with_gradient);
  [[nodiscard]] static std::uint64_t bytes(const nn::Topology& topology, std::size_t rows);
  /// The most inputs of any layer: what an Ascent's sums have to be as wide as.
  [[nodiscard]] static std::size_t widest(const nn::Topology& topology);

 private:
  /// What is left once the layers below have their activations.
  void finish(const Ascent& ascent, MatrixView<const float> points, std::span<float> values,
              MatrixView<float> gradients);

  const Probe<float>& probe_;
  std::size_t layer_;
  const kernels::Context<float>& context_;
  LayerStack stack_;
  LayerStack h_;  // of the walks at hand
  PingPong scratch_;
  std::size_t first_ = 0;
};

/// Passes through the whole network for the S walks of one neuron.
class WholeAscent {
 public:
  WholeAscent(const Probe<float>& probe, const kernels::Context<float>& context);

  void at(std::size_t layer, std::size_t unit, MatrixView<const float> points,
          std::span<float> values, MatrixView<float> gradients);

  [[nodiscard]] static kernels::Flops forward_flops(const Problem& problem);
  [[nodiscard]] static kernels::Flops backward_flops(const Problem& problem, std::size_t layer);
  [[nodiscard]] static std::uint64_t bytes(const Problem& problem);

 private:
  const Probe<float>& probe_;
  const kernels::Context<float>& context_;
  LayerStack z_;
  LayerStack h_;
  MatrixView<float> logits_;
  PingPong scratch_;
};

}  // namespace interpscale::methods::engine
