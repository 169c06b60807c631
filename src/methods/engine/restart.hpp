// One neuron at zero, and all that follows from it kept, for second changes to start from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "interpscale/methods/probe.hpp"
#include "methods/engine/layer_stack.hpp"

namespace interpscale::methods::engine {

/// All later pre-activations and activations with one neuron at zero, on the samples where that
/// changes anything (ReLU: where it is active), and the metric. Rows are those samples, in order.
class Restart {
 public:
  Restart(const Probe<float>& probe, Metric metric, const kernels::Context<float>& context);

  /// `h` and `next`: the layer's activations and the pre-activation after it on the whole batch;
  /// `columns`: the weights that lead there, transposed. Costs SuffixTile::flops of its rows.
  void run(std::size_t layer, std::size_t unit, MatrixView<const float> h,
           MatrixView<const float> next, MatrixView<const float> columns);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::uint32_t sample(std::size_t row) const { return sample_[row]; }
  [[nodiscard]] std::span<const std::uint32_t> samples() const { return sample_.first(rows_); }
  [[nodiscard]] std::span<const std::uint32_t> labels() const { return label_.first(rows_); }
  [[nodiscard]] float metric(std::size_t row) const { return values_[row]; }
  /// Activations [rows, w_l] of a layer after the neuron's.
  [[nodiscard]] MatrixView<const float> h(std::size_t layer) const {
    return h_.window(0, rows_)[layer];
  }
  /// The pre-activation [rows, fan_out] after `layer`; the logits after the last.
  [[nodiscard]] MatrixView<const float> next(std::size_t layer) const {
    return writable_next(layer);
  }

  [[nodiscard]] static std::uint64_t scratch_bytes(const Problem& problem);

 private:
  [[nodiscard]] MatrixView<float> writable_next(std::size_t layer) const;
  void collect(std::size_t unit, MatrixView<const float> h);

  const Probe<float>& probe_;
  Metric metric_;
  const kernels::Context<float>& context_;
  LayerStack z_;
  LayerStack h_;
  MatrixView<float> logits_;
  std::span<std::uint32_t> sample_;
  std::span<std::uint32_t> unit_;
  std::span<std::uint32_t> label_;
  std::span<float> delta_;
  std::span<float> values_;
  std::size_t rows_ = 0;
};

}  // namespace interpscale::methods::engine
