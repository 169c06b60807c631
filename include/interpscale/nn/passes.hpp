// Forward and backward passes of an MLP over a batch.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"
#include "interpscale/nn/mlp.hpp"
#include "interpscale/nn/tape.hpp"

namespace interpscale::nn {

/// h_l = phi(W_l h_(l-1) + b_l), y = W_(L+1) h_L + b_(L+1), for inputs [B, d]; fills the tape.
/// ReLU is fused into the product unless the tape keeps pre-activations.
template <class T>
void forward(const Mlp<T>& network, MatrixView<const T> inputs, Tape<T>& tape,
             const kernels::Context<T>& context);

/// Continues a forward pass from hidden layer `layer` (index from 0), whose activations stand in
/// the tape: fills the later layers and the logits.
template <class T>
void forward_from(const Mlp<T>& network, std::size_t layer, Tape<T>& tape,
                  const kernels::Context<T>& context);

/// Gradients of sum(output_gradient * y) in the weights and biases, [L + 1] layers.
/// output_gradient [B, C]. No gradient of the inputs is computed.
template <class T>
void backward(const Mlp<T>& network, MatrixView<const T> inputs, const Tape<T>& tape,
              MatrixView<const T> output_gradient, std::vector<DenseLayer<T>>& gradients,
              const kernels::Context<T>& context);

/// dF/dh_l for every hidden layer, F = sum(output_gradient * y): activation_gradients[l] is
/// [B, w_(l+1)], written for l = first_layer .. L-1 (the other
/// matrices are left alone). The slope of h_l itself is not in it. No weight gradients.
template <class T>
void backward_activations(const Mlp<T>& network, const Tape<T>& tape,
                          MatrixView<const T> output_gradient, std::size_t first_layer,
                          std::vector<Matrix<T>>& activation_gradients,
                          const kernels::Context<T>& context);

/// One [batch, w_l] matrix of zeros a hidden layer, as `backward_activations` wants them.
template <class T>
[[nodiscard]] std::vector<Matrix<T>> hidden_matrices(const Topology& topology, std::size_t batch);

/// Exact costs of these passes for `batch` samples, as the kernels count them.
[[nodiscard]] kernels::Flops forward_flops(const Topology& topology, std::size_t batch);
[[nodiscard]] kernels::Flops forward_from_flops(const Topology& topology, std::size_t layer,
                                                std::size_t batch);
[[nodiscard]] kernels::Flops backward_flops(const Topology& topology, std::size_t batch);
[[nodiscard]] kernels::Flops backward_activations_flops(const Topology& topology,
                                                        std::size_t first_layer, std::size_t batch);

}  // namespace interpscale::nn
