// Losses of a batch and their gradients in the outputs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "interpscale/core/matrix.hpp"
#include "interpscale/kernels/backend.hpp"

namespace interpscale::nn {

enum class Loss { kCrossEntropy, kMeanSquaredError };

/// What a batch is held against: labels [B] for cross-entropy, values [B, C] for squared error.
template <class T>
struct Targets {
  std::span<const std::uint32_t> labels = {};
  MatrixView<const T> values = {};
};

/// The mean loss over the batch; gradient [B, C] is d(mean loss)/d outputs (the 1/B inside).
/// losses [B] receives the loss of each sample.
template <class T>
[[nodiscard]] double loss_and_gradient(Loss loss, MatrixView<const T> outputs,
                                       const Targets<T>& targets, std::span<T> losses,
                                       MatrixView<T> gradient, const kernels::Context<T>& context);

/// Share of rows whose largest output is the label (ties: the smallest index).
template <class T>
[[nodiscard]] double accuracy(MatrixView<const T> outputs, std::span<const std::uint32_t> labels);

}  // namespace interpscale::nn
