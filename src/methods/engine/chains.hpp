// Sampled orders walked side by side: along an order, one more neuron of a layer is present at
// every step, the next pre-activation moves by one rank-one update, and only a suffix is left to
// compute.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "interpscale/methods/probe.hpp"
#include "methods/engine/layer_stack.hpp"
#include "methods/engine/orders.hpp"
#include "methods/engine/suffix_sweep.hpp"

namespace interpscale::methods::engine {

/// (order, sample) chains of one layer, a tile of them at a time. One step takes every chain of a
/// tile to its next neuron; neurons that are inactive on the chain's sample (ReLU) add nothing, and
/// are left out. Chains are sorted by their length, the longest first: those that have a neuron
/// left are always the first rows of a tile.
class Chains {
 public:
  /// `h` [B, w_l]: the layer's activations on the probe's inputs.
  Chains(const Probe<float>& probe, Metric metric, std::size_t layer, MatrixView<const float> h,
         const kernels::Context<float>& context);

  /// Adds the marginal contributions to the metric along all orders [T, w_l], over all samples, to
  /// marginals [draws, w_l].
  void run(const Orders& orders, MatrixView<const std::uint32_t> order,
           MatrixView<double> marginals);

  /// Of `pairs` (sample, neuron) pairs that are stepped on in every order.
  [[nodiscard]] static kernels::Flops flops(const Problem& problem, Metric metric,
                                            std::size_t layer, std::uint64_t pairs);
  [[nodiscard]] static std::uint64_t scratch_bytes(const Problem& problem, std::size_t layer);

 private:
  /// The metric of every sample with no neuron of the layer present: one row of logits for all.
  void measure_nobody();
  /// How many neurons a chain of sample b steps on.
  [[nodiscard]] std::size_t length(std::size_t b) const;
  /// All chains of `orders` orders, the longest first; of equal ones in the order of their numbers.
  void sort(std::size_t orders);
  /// The tile of chains first, first + 1, ... of the sorted ones: each one's neurons, and the
  /// metric with none of them.
  void collect(std::size_t first, const Orders& orders, MatrixView<const std::uint32_t> order);
  /// Step k of the first `live` chains: their next pre-activations; the metric goes to `after`.
  [[nodiscard]] MatrixView<const float> step(std::size_t k, MatrixView<const float> state,
                                             std::span<const std::uint32_t> parent,
                                             std::span<float> after);

  const Probe<float>& probe_;
  std::size_t layer_;
  MatrixView<const float> h_;
  const kernels::Context<float>& context_;
  Metric metric_;
  bool skip_inactive_;
  MatrixView<float> bias_;  // [1, fan_out]: the next pre-activation with nobody present
  SuffixSweep sweep_;
  PingPong states_;
  std::span<float> nobody_;          // metric of each sample with nobody present, [B]
  std::span<std::uint32_t> active_;  // units with h > 0 on each sample, [B]
  std::span<std::uint32_t> sorted_;  // order * B + sample, of all chains; [orders B]
  std::span<std::uint32_t> places_;  // of chains by their length, [w_l + 2]
  // Of a tile's chains, [kSuffixRows]:
  std::span<std::uint32_t> order_;
  std::span<std::uint32_t> sample_;
  std::span<std::uint32_t> draw_;
  std::span<std::uint32_t> label_;
  std::span<std::uint32_t> first_;  // 0: all start from the one row with nobody present
  std::span<std::uint32_t> row_;    // 0, 1, 2, ...
  std::span<float> before_;
  std::span<float> after_;
  // Row k: the units that chains step on next and their activations, [w_l, kSuffixRows].
  MatrixView<std::uint32_t> unit_;
  MatrixView<float> delta_;
};

}  // namespace interpscale::methods::engine
