// Scratch for passes that a tape has no room for: activations of several passes at once, and the
// two buffers that gradients, Jacobians and suffixes take turns in.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "interpscale/core/matrix.hpp"
#include "interpscale/core/workspace.hpp"
#include "interpscale/nn/tape.hpp"
#include "interpscale/nn/topology.hpp"

namespace interpscale::methods::engine {

/// One matrix [rows, w_l] a hidden layer; borrowed, and cheap to copy.
class LayerStack {
 public:
  /// Uninitialised, from the workspace.
  LayerStack(const nn::Topology& topology, std::size_t rows, Workspace& workspace);
  /// The activations of a tape, all of its rows.
  LayerStack(nn::Tape<float>& tape, Workspace& workspace);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] MatrixView<float> operator[](std::size_t layer) const {
    return layers_[layer].rows_from(first_, rows_);
  }
  /// Rows [first, first + rows) of every layer.
  [[nodiscard]] LayerStack window(std::size_t first, std::size_t rows) const;

  /// What a stack from the workspace takes of it, and what one over a tape does.
  [[nodiscard]] static std::uint64_t bytes(const nn::Topology& topology, std::size_t rows);
  [[nodiscard]] static std::uint64_t tape_bytes(const nn::Topology& topology);

 private:
  std::span<MatrixView<float>> layers_;
  std::size_t first_ = 0;
  std::size_t rows_ = 0;
};

/// Sets every element to zero.
void clear(MatrixView<float> matrix);

/// Two scratch matrices that take turns.
class PingPong {
 public:
  PingPong(std::size_t rows, std::size_t widest, Workspace& workspace);

  /// Uninitialised [rows, cols], within what was asked for; what the last call returned stays.
  [[nodiscard]] MatrixView<float> next(std::size_t rows, std::size_t cols);

  [[nodiscard]] static std::uint64_t bytes(std::size_t rows, std::size_t widest);

 private:
  std::array<std::span<float>, 2> halves_;
  std::size_t turn_ = 0;
};

}  // namespace interpscale::methods::engine
