// Optimizers over all layers of a network.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
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

 private:
  OptimizerOptions options_;
  std::uint64_t steps_ = 0;
  std::vector<DenseLayer<T>> first_;   // velocity, or Adam's first moment
  std::vector<DenseLayer<T>> second_;  // Adam only
};

}  // namespace interpscale::nn
