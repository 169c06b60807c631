// Mini-batches: a new random order every epoch, a pure function of (seed, epoch).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/data/dataset.hpp"

namespace interpscale::data {

/// A batch copied out of a data set: inputs [B, d] and labels [B] or targets [B, C].
struct Batch {
  Matrix<float> inputs;
  std::vector<std::uint32_t> labels;
  Matrix<float> targets;
};

class Batches {
 public:
  /// The last batch of an epoch may be smaller than `batch`.
  Batches(const Dataset& dataset, std::size_t batch, std::uint64_t seed);

  [[nodiscard]] std::size_t per_epoch() const;
  /// Fills `out` (allocating only on the first call) with batch `index` of epoch `epoch`; returns
  /// the number of rows filled, which is below `batch` only for an epoch's last batch.
  std::size_t fill(std::size_t epoch, std::size_t index, Batch& out);

 private:
  const Dataset& dataset_;
  std::size_t batch_;
  std::uint64_t seed_;
  std::size_t epoch_;
  std::vector<std::size_t> order_;
};

/// The first `count` examples in the order of `seed`, as one batch (count <= D).
[[nodiscard]] Batch sample(const Dataset& dataset, std::size_t count, std::uint64_t seed);

}  // namespace interpscale::data
