// A training step as one writes it in an afternoon around a library's matrix product.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "bench/peers/peer.hpp"

namespace interpscale::bench::peers {

/// Plain loops and a product: bias and ReLU after each product, softmax, bias gradients, SGD.
/// Buffers are allocated once; no input gradient.
class AfternoonTrainer : public Trainer {
 public:
  using Product = std::function<void(const Operands&)>;

  AfternoonTrainer(const TrainingProblem& problem, Product multiply);

  void step() override;
  [[nodiscard]] nn::Mlp<float> network() const override { return problem_.network; }

 private:
  void forward();
  void output_gradient();
  void backward();
  void update();

  TrainingProblem problem_;
  Product multiply_;
  std::vector<Matrix<float>> outputs_;  // of each layer, after ReLU; the last are the logits
  std::vector<Matrix<float>> deltas_;   // dLoss / d (layer's product)
  std::vector<nn::DenseLayer<float>> gradients_;
};

}  // namespace interpscale::bench::peers
