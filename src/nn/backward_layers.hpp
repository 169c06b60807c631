// The backward pass, layer by layer: what is done with a layer's gradients is the caller's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "interpscale/nn/passes.hpp"

namespace interpscale::nn {

template <class T>
void require_tape_fits(const Mlp<T>& network, const Tape<T>& tape) {
  require(tape.activations.size() == network.topology.hidden.size(),
          "the tape was made for another topology");
  require(tape.batch > 0 && tape.batch <= tape.logits.rows(), "the tape holds no such batch");
}

/// Two scratch matrices that take turns: dF/dz of one layer and of the layer below it.
template <class T>
class AlternatingScratch {
 public:
  AlternatingScratch(const Topology& topology, std::size_t batch, Workspace& workspace)
      : batch_(batch) {
    const std::size_t widest = *std::max_element(topology.hidden.begin(), topology.hidden.end());
    for (std::span<T>& half : halves_) {
      half = workspace.vector<T>(checked_product(batch, padded(widest)));
    }
  }

  /// [batch, width]; the one handed out by the last call stays as it is.
  [[nodiscard]] MatrixView<T> next(std::size_t width) {
    turn_ = 1 - turn_;
    return {halves_[turn_].data(), batch_, width, padded(width)};
  }

 private:
  [[nodiscard]] static std::size_t padded(std::size_t width) {
    return round_up(width, kCacheLineBytes / sizeof(T));
  }

  std::size_t batch_;
  std::array<std::span<T>, 2> halves_;
  std::size_t turn_ = 0;
};

/// consume(layer, dz, below) for every layer from the last to the first: dz [B, out] is dF/d(the
/// layer's pre-activations), F = sum(output_gradient * y), and `below` [B, in] its inputs. By then
/// the layer's weights have been read for the last time. No gradient of the inputs is computed.
template <class T, class Consume>
void backward_layers(const Mlp<T>& network, MatrixView<const T> inputs, const Tape<T>& tape,
                     MatrixView<const T> output_gradient, const kernels::Context<T>& context,
                     const Consume& consume) {
  require_tape_fits(network, tape);
  require(inputs.rows() == tape.batch && output_gradient.rows() == tape.batch,
          "backward: inputs or output gradient of another batch than the tape's");
  const bool masks = network.topology.activation == kernels::Activation::kRelu;
  const Workspace::Scope scope(context.workspace);
  AlternatingScratch<T> scratch(network.topology, tape.batch, context.workspace);
  MatrixView<const T> dz = output_gradient;
  for (std::size_t layer = network.layers.size(); layer-- > 1;) {
    const MatrixView<const T> below = tape.activation(layer - 1);
    const MatrixView<T> dz_below = scratch.next(below.cols());
    context.backend.gemm(kernels::GemmCase::kNN, dz, network.layers[layer].weights, dz_below,
                         kernels::Epilogue<T>{.mask = masks ? below : MatrixView<const T>{}},
                         context);
    if (!masks) {
      context.backend.multiply_by_slope(network.topology.activation, below, dz_below, context);
    }
    consume(layer, dz, below);
    dz = dz_below;
  }
  consume(std::size_t{0}, dz, inputs);
}

}  // namespace interpscale::nn
