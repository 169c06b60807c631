// The shape of an MLP, and what follows from it alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/kernels/activation.hpp"

namespace interpscale::nn {

/// Extents above this are taken for a mistake rather than a plan.
inline constexpr std::size_t kLargestWidth = std::size_t{1} << 20;

/// x in R^d, L hidden layers of widths w_1 ... w_L, C outputs (linear).
struct Topology {
  std::size_t inputs = 0;           ///< d
  std::vector<std::size_t> hidden;  ///< w_1 ... w_L, at least one
  std::size_t outputs = 0;          ///< C
  kernels::Activation activation = kernels::Activation::kRelu;

  /// L + 1: hidden layers and the read-out.
  [[nodiscard]] std::size_t layers() const { return hidden.size() + 1; }
  /// Inputs and outputs of layer l in [0, L].
  [[nodiscard]] std::size_t fan_in(std::size_t layer) const;
  [[nodiscard]] std::size_t fan_out(std::size_t layer) const;
  /// N: all weights and biases.
  [[nodiscard]] std::uint64_t parameters() const;
  /// n: all hidden neurons.
  [[nodiscard]] std::uint64_t neurons() const;
  /// "784-256-128-10/relu": unique to the topology, fit for a file name but for the slash.
  [[nodiscard]] std::string name() const;

  bool operator==(const Topology&) const = default;
};

/// The topology if every extent is in [1, kLargestWidth] and there is a hidden layer; otherwise an
/// error that names the extent.
[[nodiscard]] Result<Topology> validated(Topology topology);

}  // namespace interpscale::nn
