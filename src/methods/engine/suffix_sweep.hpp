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

/// Pairs of one hidden layer, in tiles of up to `capacity` rows.
class SuffixSweep {
 public:
  /// `layer` from 0; `next` is the pre-activation [B, fan_out] of the layer after it (the logits
  /// where it is the last hidden layer), which must outlive the sweep. Takes scratch from the
  /// context's workspace, and transposes W_(layer + 1) into it.
  SuffixSweep(const nn::Mlp<float>& network, std::size_t layer, MatrixView<const float> next,
              std::size_t capacity, const kernels::Context<float>& context);

  /// The logits [rows, C] of every row's sample with its unit changed; valid until the next call.
  [[nodiscard]] MatrixView<const float> logits(const kernels::SparseRows<float>& rows);

  /// Without what the constructor leaves to its caller: exact for any division into tiles.
  [[nodiscard]] static kernels::Flops flops(const nn::Topology& topology, std::size_t layer,
                                            std::uint64_t rows);
  [[nodiscard]] static std::uint64_t scratch_bytes(const nn::Topology& topology, std::size_t layer,
                                                   std::size_t capacity);

 private:
  const nn::Mlp<float>& network_;
  std::size_t layer_;
  MatrixView<const float> next_;
  const kernels::Context<float>& context_;
  MatrixView<float> columns_;  // W_(layer + 1) transposed: [w_layer, fan_out]
  PingPong scratch_;           // activations of the later hidden layers
  MatrixView<float> logits_;   // [capacity, C]
};

}  // namespace interpscale::methods::engine
