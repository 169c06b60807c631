// Optimizers over all layers of a network.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"
#include "interpscale/nn/mlp.hpp"

namespace interpscale::nn {

enum class OptimizerKind { kSgd, kAdam };

/// The defaults are the usual ones; `momentum` is for SGD, the betas and epsilon for Adam.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kSgd;
  double momentum = 0.9;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

/// Holds the moments; one `step` is one update of every parameter.
template <class T>
class Optimizer {
 public:
  Optimizer(const Topology& topology, const OptimizerOptions& options);

  void step(double learning_rate, const std::vector<DenseLayer<T>>& gradients, Mlp<T>& network,
            const kernels::Context<T>& context);

  /// Counts a step whose layers then follow by `update_layer`, each once and in any order.
  void begin_step() { ++steps_; }
  /// Updates one layer from what its gradients are made of: dz [B, out], dF/d(pre-activations), and
  /// `below` [B, in], the layer's inputs. The gradients of the weights are never written to memory
  /// as a whole: without momentum the product goes straight into the weights, else panels of it
  /// that fit the second-level cache are made and used up in turn.
  void update_layer(std::size_t layer, MatrixView<const T> dz, MatrixView<const T> below,
                    double learning_rate, Mlp<T>& network, const kernels::Context<T>& context);

 private:
  /// Plain SGD: an update is one multiple of the gradient.
  [[nodiscard]] bool keeps_no_moments() const {
    return options_.kind == OptimizerKind::kSgd && options_.momentum == 0.0;
  }
  /// One update of [count] parameters by the step begun last.
  void update(double learning_rate, std::span<const T> gradient, std::span<T> first,
              std::span<T> second, std::span<T> parameters,
              const kernels::Context<T>& context) const;
  void update_weights(std::size_t layer, MatrixView<const T> dz, MatrixView<const T> below,
                      double learning_rate, Matrix<T>& weights, const kernels::Context<T>& context);

  OptimizerOptions options_;
  std::uint64_t steps_ = 0;
  std::vector<DenseLayer<T>> first_;   // velocity, or Adam's first moment
  std::vector<DenseLayer<T>> second_;  // Adam only
};

}  // namespace interpscale::nn
