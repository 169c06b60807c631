// A network with surrogates in the place of modules.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "interpscale/data/dataset.hpp"
#include "interpscale/kernels/backend.hpp"
#include "interpscale/modules/surrogate.hpp"
#include "interpscale/nn/tape.hpp"

namespace interpscale::modules {

/// Evaluates what is left of the network and the surrogates, layer by layer: a replaced neuron's
/// own weights are not read. Without surrogates, the network to the bit.
class SplicedNetwork {
 public:
  /// `network` outlives this. No neuron may be replaced twice.
  SplicedNetwork(const nn::Mlp<float>& network, const std::vector<Surrogate>& surrogates);

  [[nodiscard]] const nn::Mlp<float>& network() const { return network_; }

  /// As nn::forward: activations (surrogates' outputs at their neurons' places) and logits of
  /// inputs [B, d] into a tape of the network's topology.
  void forward(MatrixView<const float> inputs, nn::Tape<float>& tape,
               const kernels::Context<float>& context) const;

  /// The activations [B, w] of one hidden layer from those of the layer below it [B, fan_in].
  void layer(std::size_t layer, MatrixView<const float> below, MatrixView<float> above,
             const kernels::Context<float>& context) const;

  /// Weights and biases that a forward pass reads.
  [[nodiscard]] std::uint64_t parameters() const;

 private:
  /// First stages of maps that have two, stacked: one product for all of them.
  struct Stack {
    bool activated = false;
    nn::DenseLayer<float> first;     ///< [sum of their rows, in]
    std::vector<std::size_t> maps;   ///< of the layer's, in this order
    std::vector<std::size_t> begin;  ///< first row of each
  };
  struct Layer {
    std::vector<std::uint32_t> kept;  ///< neurons that are still their own
    nn::DenseLayer<float> own;        ///< their weights [kept, in]
    std::vector<UnitMap> maps;        ///< none: the layer is whole
    std::vector<Stack> stacks;        ///< of those with two stages
  };
  [[nodiscard]] static Stack stacked(const std::vector<UnitMap>& maps, bool activated);
  void spliced_layer(const Layer& layer, MatrixView<const float> below, MatrixView<float> above,
                     const kernels::Context<float>& context) const;

  const nn::Mlp<float>& network_;
  std::vector<Layer> layers_;  // a hidden layer each
};

/// A network's losses on a data set, sample by sample.
struct SampleLosses {
  std::vector<float> losses;  ///< [D]
  double loss = 0;            ///< their mean
  double accuracy = 0;        ///< share of labels that are the largest output; 0 without labels
};

/// Cross-entropy where the data set has labels, squared error where it has targets; in chunks of
/// 1024 samples. `outputs` [D, C], unless empty, receives the logits.
[[nodiscard]] SampleLosses losses_of(const SplicedNetwork& network, const data::Dataset& dataset,
                                     const kernels::Context<float>& context,
                                     MatrixView<float> outputs = {});

/// How much a loss rises, with the interval that the samples leave: mean of the samples'
/// differences +- 1.96 standard errors.
struct Leak {
  double value = 0;
  double low = 0;
  double high = 0;
};

[[nodiscard]] Leak leak_of(const SampleLosses& spliced, const SampleLosses& whole);

}  // namespace interpscale::modules
