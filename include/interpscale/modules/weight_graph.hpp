// A network as a graph: units are its vertices, absolute weights its edges (Filan et al.,
// "Clusterability in neural networks", 2021). Biases are not in it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/nn/mlp.hpp"

namespace interpscale::modules {

/// The graph of |W| between adjacent layers. Its units are the inputs, the hidden neurons layer by
/// layer, and the outputs, in this order.
class WeightGraph {
 public:
  explicit WeightGraph(const nn::Mlp<float>& network);

  [[nodiscard]] std::size_t units() const { return first_.back(); }
  /// L + 2: inputs, hidden layers, outputs.
  [[nodiscard]] std::size_t unit_layers() const { return first_.size() - 1; }
  /// The first unit of a unit layer; of `unit_layers()`, one past the last.
  [[nodiscard]] std::size_t first_unit(std::size_t unit_layer) const { return first_[unit_layer]; }
  /// |W| between unit layers `below` and `below` + 1: [out, in].
  [[nodiscard]] MatrixView<const float> weights(std::size_t below) const { return weights_[below]; }
  /// Sums of each unit's edges, [units]; 0 for an isolated one.
  [[nodiscard]] std::span<const double> degrees() const { return degrees_; }

  /// product := A x for the adjacency matrix A, both [units], in double precision: 4 FLOPs a
  /// weight, each weight read once. Bits do not depend on `threads` (one matrix a thread).
  void multiply(std::span<const double> x, std::span<double> product, int threads) const;

  /// The connected component of each unit, numbered from 0 in the order of their first units; an
  /// isolated unit is one of its own.
  [[nodiscard]] std::vector<std::size_t> components() const;

 private:
  std::vector<std::size_t> first_;
  std::vector<Matrix<float>> weights_;
  std::vector<double> degrees_;
};

}  // namespace interpscale::modules
