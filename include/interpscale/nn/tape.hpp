// What a forward pass leaves behind: activations of every layer, and the logits.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/nn/topology.hpp"

namespace interpscale::nn {

/// Buffers for a batch of up to `batch` samples; a pass over fewer rows uses the first rows.
template <class T>
struct Tape {
  Tape() = default;
  /// `keep_pre_activations` allocates z_1 ... z_L too (backward passes do not need them).
  Tape(const Topology& topology, std::size_t batch, bool keep_pre_activations = false);

  std::size_t batch = 0;                   ///< rows of the last pass; at first, all of them
  std::vector<Matrix<T>> pre_activations;  ///< z_l [batch, w_l], l = 1..L; or none
  std::vector<Matrix<T>> activations;      ///< h_l [batch, w_l], l = 1..L
  Matrix<T> logits;                        ///< y [batch, C]

  /// h_l of the last pass, [batch, w_l]; hidden layer index from 0.
  [[nodiscard]] MatrixView<T> activation(std::size_t layer) {
    return activations[layer].view().rows_from(0, batch);
  }
  [[nodiscard]] MatrixView<const T> activation(std::size_t layer) const {
    return activations[layer].view().rows_from(0, batch);
  }
  [[nodiscard]] MatrixView<T> output() { return logits.view().rows_from(0, batch); }
  [[nodiscard]] MatrixView<const T> output() const { return logits.view().rows_from(0, batch); }
};

}  // namespace interpscale::nn
