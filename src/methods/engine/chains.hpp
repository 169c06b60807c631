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
/// are stepped over.
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
  /// Of `live` chains, those that have a neuron left: compacted, each with its next one. How many.
  [[nodiscard]] std::size_t next_units(MatrixView<const std::uint32_t> order, std::size_t live);
  /// The next pre-activations of all live chains; their metric goes to `after_`.
  [[nodiscard]] MatrixView<const float> step(MatrixView<const float> state, std::size_t live);

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
  std::span<std::uint32_t> chain_;   // order * B + sample
  std::span<std::uint32_t> taken_;   // units of the order that are behind the chain
  std::span<std::uint32_t> parent_;  // row of its state in the last step
  std::span<std::uint32_t> unit_;
  std::span<std::uint32_t> label_;
  std::span<float> delta_;
  std::span<float> before_;
  std::span<float> after_;
};

}  // namespace interpscale::methods::engine
