// Where a layer's neurons stand among the rows of an attribution, and what scratch memory weighs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "interpscale/core/matrix.hpp"
#include "interpscale/methods/probe.hpp"
#include "interpscale/nn/topology.hpp"

namespace interpscale::methods::engine {

/// The row of the first neuron of hidden layer `layer` (from 0).
[[nodiscard]] inline std::size_t first_row(const nn::Topology& topology, std::size_t layer) {
  const auto begin = topology.hidden.begin();
  return std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(layer), std::size_t{0});
}

/// The rows [w_l, columns] of one hidden layer.
template <class T>
[[nodiscard]] MatrixView<T> layer_rows(MatrixView<T> attribution, const nn::Topology& topology,
                                       std::size_t layer) {
  return attribution.rows_from(first_row(topology, layer), topology.hidden[layer]);
}

/// The largest width among hidden layers [first, L); 0 if there is none.
[[nodiscard]] inline std::size_t widest_from(const nn::Topology& topology, std::size_t first) {
  std::size_t widest = 0;
  for (std::size_t layer = first; layer < topology.hidden.size(); ++layer) {
    widest = std::max(widest, topology.hidden[layer]);
  }
  return widest;
}

/// Whether the rows of hidden layer `layer` (from 0) are wanted.
[[nodiscard]] inline bool wanted(const MethodOptions& options, std::size_t layer) {
  const auto& layers = options.layers;
  return layers.empty() || std::find(layers.begin(), layers.end(), layer) != layers.end();
}

/// The first hidden layer whose rows are wanted: no backward pass need go below it.
[[nodiscard]] inline std::size_t lowest_wanted(const nn::Topology& topology,
                                               const MethodOptions& options) {
  std::size_t layer = 0;
  while (layer + 1 < topology.hidden.size() && !wanted(options, layer)) {
    ++layer;
  }
  return layer;
}

/// The neurons of the hidden layers whose rows are wanted.
[[nodiscard]] inline std::uint64_t wanted_neurons(const nn::Topology& topology,
                                                  const MethodOptions& options) {
  std::uint64_t count = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    count += wanted(options, layer) ? topology.hidden[layer] : 0;
  }
  return count;
}

/// Hidden layers up to the last one that is wanted.
[[nodiscard]] inline std::size_t layers_wanted(const nn::Topology& topology,
                                               const MethodOptions& options) {
  std::size_t count = topology.hidden.size();
  while (count > 1 && !wanted(options, count - 1)) {
    --count;
  }
  return count;
}

/// What Workspace::vector<T>(count) takes.
template <class T>
[[nodiscard]] std::uint64_t vector_bytes(std::size_t count) {
  return round_up(checked_product(count, sizeof(T)), kCacheLineBytes);
}

/// What Workspace::matrix<T>(rows, cols) takes.
template <class T>
[[nodiscard]] std::uint64_t matrix_bytes(std::size_t rows, std::size_t cols) {
  return vector_bytes<T>(checked_product(rows, round_up(cols, kCacheLineBytes / sizeof(T))));
}

/// Parameters, inputs, labels, baseline and results, each once: no run moves fewer bytes.
[[nodiscard]] inline std::uint64_t floor_bytes(const Problem& problem, std::size_t columns) {
  const nn::Topology& topology = problem.topology;
  const std::uint64_t baseline = problem.has_baseline ? topology.inputs : 0;
  return sizeof(float) * (topology.parameters() + std::uint64_t{problem.batch} * topology.inputs +
                          baseline + topology.neurons() * columns) +
         sizeof(std::uint32_t) * problem.batch;
}

}  // namespace interpscale::methods::engine
