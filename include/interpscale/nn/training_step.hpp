// One step of training: forward, loss, backward, update. No allocation after the first.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "interpscale/nn/loss.hpp"
#include "interpscale/nn/optimizer.hpp"
#include "interpscale/nn/passes.hpp"

namespace interpscale::nn {

/// Buffers and moments for training one topology with batches of up to `batch` samples.
template <class T>
class TrainingStep {
 public:
  /// `keep_gradients`: each step leaves its gradients behind, at the cost of their memory and of
  /// passes over it; otherwise every layer is updated as soon as its gradients can be had.
  TrainingStep(const Topology& topology, std::size_t batch, Loss loss,
               const OptimizerOptions& optimizer, bool keep_gradients = false);

  /// Trains `network` on inputs [B, d], B <= batch; returns the mean loss before the update.
  double run(Mlp<T>& network, MatrixView<const T> inputs, const Targets<T>& targets,
             double learning_rate, const kernels::Context<T>& context);

  /// Gradients of the last step, before the update; none unless they are kept.
  [[nodiscard]] const std::vector<DenseLayer<T>>& gradients() const { return gradients_; }

 private:
  Loss loss_;
  Tape<T> tape_;
  AlignedVector<T> losses_;               // [batch]
  Matrix<T> output_gradient_;             // [batch, C]
  std::vector<DenseLayer<T>> gradients_;  // none unless kept
  Optimizer<T> optimizer_;
};

/// 6 N B - 2 d w_1 B in the leading order, plus loss and optimizer: exact, as the kernels count
/// when gradients are not kept.
[[nodiscard]] kernels::Flops training_step_flops(const Topology& topology, std::size_t batch,
                                                 Loss loss, const OptimizerOptions& optimizer);
/// The same with the optimizer's usual options; gradients kept or not.
[[nodiscard]] kernels::Flops training_step_flops(const Topology& topology, std::size_t batch,
                                                 Loss loss, OptimizerKind optimizer);

}  // namespace interpscale::nn
