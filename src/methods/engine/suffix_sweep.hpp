// The rest of the network after one unit has changed, for many (sample, unit) pairs at once: the
// next pre-activation is one rank-one update away, and the later layers are one product each over
// the stacked rows of all pairs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"
#include "interpscale/nn/mlp.hpp"
#include "methods/engine/layer_stack.hpp"

namespace interpscale::methods::engine {

/// Rows of a suffix tile: enough for a matrix product, few enough for the second-level cache. 256
/// and 1024 were up to 1 % faster and 4 % slower at widths 64 to 512 (AMD EPYC, 1 MiB a core).
inline constexpr std::size_t kSuffixRows = 512;

/// A forward pass of [B, d] inputs that keeps z_2 ... z_L, where suffixes start from, beside all
/// activations and the logits. z[0] is left alone. Costs what a forward pass does.
void forward_keeping(const nn::Mlp<float>& network, MatrixView<const float> inputs,
                     const LayerStack& z, const LayerStack& h, MatrixView<float> logits,
                     const kernels::Context<float>& context);

/// Where a ReLU network's first product over the rows goes.
enum class SweepProduct {
  kAllUnits,     ///< of the layer that the rank-one updates reach
  kActiveUnits,  ///< those active in the row's pre-activation before the change, and what wakes up;
                 ///< pays where rows with the same one follow each other
};

/// Restarts behind the hidden layers [first, last), in tiles of up to kSuffixRows rows.
class SuffixSweep {
 public:
  /// Layers from 0. Takes scratch from the context's workspace, and transposes the weights that
  /// lead out of these layers into it; for products over active units, those of the next too.
  SuffixSweep(const nn::Mlp<float>& network, std::size_t first, std::size_t last,
              SweepProduct product, const kernels::Context<float>& context);

  /// The logits [rows, C] of every row's sample with its unit of `layer` changed; valid until the
  /// next call. `next` is the pre-activation [B, fan_out] of the layer after it (the logits where
  /// it is the last hidden layer).
  [[nodiscard]] MatrixView<const float> logits(std::size_t layer, MatrixView<const float> next,
                                               const kernels::SparseRows<float>& rows);
  /// The logits [rows, C] that follow from pre-activations `next` [rows, fan_out] of the layer
  /// after `layer`: `next` itself behind the last hidden layer. Valid until the next call.
  [[nodiscard]] MatrixView<const float> logits_from(std::size_t layer,
                                                    MatrixView<const float> next);
  /// W_(layer + 1) transposed, [w_layer, fan_out].
  [[nodiscard]] MatrixView<const float> columns(std::size_t layer) const;

  /// Of `logits`: exact for any division into tiles. `logits_from` costs less by the update.
  [[nodiscard]] static kernels::Flops flops(const nn::Topology& topology, std::size_t layer,
                                            std::uint64_t rows);
  /// The same with products over active units: `links` of them over all rows.
  [[nodiscard]] static kernels::Flops flops(const nn::Topology& topology, std::size_t layer,
                                            std::uint64_t rows, std::uint64_t links);
  [[nodiscard]] static std::uint64_t scratch_bytes(const nn::Topology& topology, std::size_t first,
                                                   std::size_t last, SweepProduct product);

 private:
  /// The logits that follow from the activations `h` of a hidden layer.
  [[nodiscard]] MatrixView<const float> finish(std::size_t layer, MatrixView<float> h);
  [[nodiscard]] MatrixView<const float> active_logits(std::size_t layer,
                                                      MatrixView<const float> next,
                                                      const kernels::SparseRows<float>& rows);
  /// Whether two hidden layers follow `layer`, wide enough, and the product between them goes over
  /// active units.
  [[nodiscard]] static bool goes_by_activity(const nn::Topology& topology, std::size_t layer,
                                             SweepProduct product);

  const nn::Mlp<float>& network_;
  std::size_t first_;
  SweepProduct product_;
  const kernels::Context<float>& context_;
  std::span<MatrixView<float>> columns_;
  std::span<MatrixView<float>> onward_;  // those of the layer after, for products over active units
  PingPong scratch_;                     // activations of the later hidden layers
  MatrixView<float> logits_;             // [kSuffixRows, C]
};

}  // namespace interpscale::methods::engine
