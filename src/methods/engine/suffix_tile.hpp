// Changes of single units, collected into tiles for a suffix sweep, and what each does to the
// metric.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "interpscale/methods/probe.hpp"
#include "methods/engine/suffix_sweep.hpp"

namespace interpscale::methods::engine {

/// One row of a tile: row `base` of the next pre-activation, with `unit` of the layer changed by
/// `delta`; measured against `label`.
struct UnitChange {
  std::uint32_t base;
  std::uint32_t unit;
  std::uint32_t label;
  float delta;
};

/// Takes changes behind one layer at a time and visits each with the metric after it, in order:
/// visit(base, unit, metric). A tile that is full is swept at once; `flush` sweeps the rest.
class SuffixTile {
 public:
  /// The sweep must outlive the tile.
  SuffixTile(SuffixSweep& sweep, Metric metric, const kernels::Context<float>& context);

  /// What is added from here on changes units of `layer`, and `next` [bases, fan_out] is what it
  /// changes (see SuffixSweep::logits). The tile must be empty.
  void restart(std::size_t layer, MatrixView<const float> next);

  template <class Visit>
  void add(const UnitChange& change, const Visit& visit) {
    base_[rows_] = change.base;
    unit_[rows_] = change.unit;
    label_[rows_] = change.label;
    delta_[rows_] = change.delta;
    if (++rows_ == kSuffixRows) {
      flush(visit);
    }
  }
  template <class Visit>
  void flush(const Visit& visit) {
    if (rows_ == 0) {
      return;
    }
    measure();
    for (std::size_t r = 0; r < rows_; ++r) {
      visit(base_[r], unit_[r], metric_values_[r]);
    }
    rows_ = 0;
  }

  /// Of `rows` changes behind `layer`.
  [[nodiscard]] static kernels::Flops flops(const nn::Topology& topology, Metric metric,
                                            std::size_t layer, std::uint64_t rows);
  [[nodiscard]] static std::uint64_t scratch_bytes();

 private:
  void measure();

  SuffixSweep& sweep_;
  Metric metric_;
  const kernels::Context<float>& context_;
  std::size_t layer_ = 0;
  MatrixView<const float> next_;
  std::span<std::uint32_t> base_;
  std::span<std::uint32_t> unit_;
  std::span<std::uint32_t> label_;
  std::span<float> delta_;
  std::span<float> metric_values_;
  std::size_t rows_ = 0;
};

}  // namespace interpscale::methods::engine
