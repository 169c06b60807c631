// A module: the hidden neurons of one cluster, layer by layer, and what crosses its border.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "interpscale/modules/spectral_modules.hpp"

namespace interpscale::modules {

/// Units of a set of hidden layers: [hidden layer, from 0][units of that layer, ascending].
using HiddenUnits = std::vector<std::vector<std::uint32_t>>;

/// The hidden neurons of each cluster that has any, in the clusters' order. Inputs and outputs of
/// the network that a cluster holds are no neurons: they stay what they are.
[[nodiscard]] std::vector<HiddenUnits> hidden_modules(const WeightGraph& graph,
                                                      const Clustering& clustering);

/// All hidden neurons of one layer as a module: the whole layer.
[[nodiscard]] HiddenUnits whole_layer(const nn::Topology& topology, std::size_t layer);

[[nodiscard]] std::size_t count_units(const HiddenUnits& units);

/// The units across a module's cut edges: an edge is a weight that is not 0.
struct Border {
  /// Outside units with an edge into the module, by unit layer (0: the network's inputs).
  std::vector<std::vector<std::uint32_t>> inputs;  ///< [L + 2]
  /// The module's neurons with an edge to the outside, by hidden layer.
  HiddenUnits outputs;  ///< [L]
};

[[nodiscard]] Border border_of(const WeightGraph& graph, const HiddenUnits& module);

}  // namespace interpscale::modules
