// Greedy pruning by suffixes: an edge's removal moves one pre-activation, the next layer follows by
// a rank-one update, and the rest of the circuit is computed anew.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "interpscale/methods/probe.hpp"
#include "methods/engine/circuit.hpp"
#include "methods/engine/layer_stack.hpp"

namespace interpscale::methods::engine {

/// Which edges are there, one byte each.
class KeptEdges {
 public:
  /// All of them; takes bytes() from the workspace.
  KeptEdges(const nn::Topology& topology, Workspace& workspace);
  void remove(std::size_t layer, std::size_t j, std::size_t i) { layers_[layer](j, i) = 0; }
  /// The edge from input i to unit j of layer l in [0, L].
  [[nodiscard]] bool operator()(std::size_t layer, std::size_t j, std::size_t i) const {
    return layers_[layer](j, i) != 0;
  }
  [[nodiscard]] static std::uint64_t bytes(const nn::Topology& topology);

 private:
  std::span<MatrixView<std::uint8_t>> layers_;
};

/// out := phi(W below + b) of one layer of the circuit; the read-out without phi.
void circuit_layer(const Probe<float>& probe, const Circuit& circuit, std::size_t layer,
                   MatrixView<const float> below, MatrixView<float> out,
                   const kernels::Context<float>& context);

/// Prunes the edges of one layer after another, the read-out first, then hidden layers from the
/// last one down.
class SuffixPruning {
 public:
  /// `h`: activations of the whole network on the batch. Takes scratch from the workspace.
  SuffixPruning(const Probe<float>& probe, const LayerStack& h, Circuit& circuit, KeptEdges& kept,
                const kernels::Context<float>& context);

  void prune_readout();
  void prune_hidden(std::size_t layer);

  /// Of both, over all layers.
  [[nodiscard]] static kernels::Flops flops(const Problem& problem);
  [[nodiscard]] static std::uint64_t scratch_bytes(const Problem& problem);

 private:
  void start_unit(std::size_t j, MatrixView<const float> z, MatrixView<const float> active);
  /// The unit's pre-activation without one more input, by_input [inputs, B]. Sums in double: what
  /// they round is the product they start from.
  void propose(std::size_t j, std::size_t i, MatrixView<const float> by_input);
  void accept(std::size_t layer, std::size_t j, std::size_t i);
  /// delta := phi(proposed) - what the unit was when its edges' turn came.
  void activate_proposed();
  [[nodiscard]] MatrixView<const float> suffix(std::size_t layer, MatrixView<const float> next,
                                               MatrixView<const float> columns);

  const Probe<float>& probe_;
  const nn::Topology& topology_;
  std::size_t batch_;
  LayerStack h_;  // activations of the whole network
  Circuit& circuit_;
  KeptEdges& kept_;
  const kernels::Context<float>& context_;
  PingPong scratch_;
  MatrixView<float> logits_;
  std::span<double> pre_activation_;  // of the unit whose edges are looked at, [B]
  std::span<double> proposed_;
  std::span<float> start_;       // its activation before the first of its edges went
  std::span<float> delta_;       // from there to the proposal's
  std::span<float> kept_delta_;  // from there to the circuit's
  std::span<std::uint32_t> sample_;
  std::span<std::uint32_t> unit_;
};

}  // namespace interpscale::methods::engine
