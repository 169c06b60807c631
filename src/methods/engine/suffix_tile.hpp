// Changes of single units, listed for a whole layer and swept a tile at a time, and what each does
// to the metric.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "interpscale/methods/probe.hpp"
#include "methods/engine/suffix_sweep.hpp"

namespace interpscale::methods::engine {

/// Elements (base, unit) of a matrix are changes of one unit each, behind one layer at a time: row
/// `base` of the next pre-activation, with `unit` of the layer changed by a multiple of the
/// element.
class SuffixTile {
 public:
  /// The sweep must outlive the tile. `most`: elements of the largest matrix that is listed.
  SuffixTile(SuffixSweep& sweep, Metric metric, std::size_t most,
             const kernels::Context<float>& context);

  /// Lists the changes factor a(base, unit), those of a [bases, units] that `which` says; each is
  /// measured against its base's label [bases]. What was listed before is forgotten.
  void list(MatrixView<const float> a, kernels::Listed which, float factor,
            std::span<const std::uint32_t> labels);

  /// The metric after each change that is listed, less before[base], is added to sums(0, unit) or
  /// to effects(unit, base). `next` [bases, fan_out] is what changes of units of `layer` change
  /// (see SuffixSweep::logits).
  void add_sums(std::size_t layer, MatrixView<const float> next, std::span<const float> before,
                MatrixView<double> sums) {
    sweep(layer, next, before, false, sums);
  }
  void add_effects(std::size_t layer, MatrixView<const float> next, std::span<const float> before,
                   MatrixView<double> effects) {
    sweep(layer, next, before, true, effects);
  }

  /// Of `rows` changes behind `layer`, over all units or (with `links`) over active ones alone.
  [[nodiscard]] static kernels::Flops flops(const nn::Topology& topology, Metric metric,
                                            std::size_t layer, std::uint64_t rows);
  [[nodiscard]] static kernels::Flops flops(const nn::Topology& topology, Metric metric,
                                            std::size_t layer, std::uint64_t rows,
                                            std::uint64_t links);
  /// Of `rows` changes that are listed, and effects added up.
  [[nodiscard]] static kernels::Flops listing_flops(std::uint64_t rows) {
    return kernels::multiply_flops(rows) + kernels::add_changes_flops(rows);
  }
  [[nodiscard]] static std::uint64_t scratch_bytes(std::size_t most);

 private:
  void sweep(std::size_t layer, MatrixView<const float> next, std::span<const float> before,
             bool by_base, MatrixView<double> effects);

  SuffixSweep& sweep_;
  Metric metric_;
  const kernels::Context<float>& context_;
  kernels::ElementList<float> list_;
  std::size_t count_ = 0;
  std::span<float> before_;  // [kSuffixRows], as the others
  std::span<float> after_;
  std::span<std::uint32_t> zeros_;
};

}  // namespace interpscale::methods::engine
