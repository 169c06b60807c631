// What stands in for a module: one small map for each layer in which the module has neurons.
//
// The neurons of layer l are functions of layer l - 1 alone, so a surrogate of a module that spans
// layers is a chain of maps: each reads the layer below, the module's own surrogate outputs in it
// among them, and writes the module's neurons of its layer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "interpscale/modules/module.hpp"
#include "interpscale/nn/mlp.hpp"

namespace interpscale::modules {

/// x -> W x + b, then the network's activation where `activated`.
struct Stage {
  nn::DenseLayer<float> dense;
  bool activated = false;
};

/// Replaces some neurons of one hidden layer by one or two stages of the layer below.
struct UnitMap {
  std::size_t layer = 0;             ///< hidden layer, from 0
  std::vector<std::uint32_t> units;  ///< of that layer, ascending
  std::vector<Stage> stages;         ///< the first reads [fan_in(layer)], the last gives [units]

  [[nodiscard]] std::uint64_t parameters() const;
};

/// Maps in the order of their layers; at most one a layer.
using Surrogate = std::vector<UnitMap>;

[[nodiscard]] std::uint64_t parameters_of(const Surrogate& surrogate);

/// The module itself as a surrogate: its own weights, one activated stage a layer.
[[nodiscard]] Surrogate own_shape(const nn::Mlp<float>& network, const HiddenUnits& module);

}  // namespace interpscale::modules
