// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/module.hpp"

#include <algorithm>

#include "interpscale/core/require.hpp"

namespace interpscale::modules {
namespace {

bool holds(const std::vector<std::uint32_t>& ascending, std::size_t unit) {
  return std::ranges::binary_search(ascending, static_cast<std::uint32_t>(unit));
}

}  // namespace

std::vector<HiddenUnits> hidden_modules(const WeightGraph& graph, const Clustering& clustering) {
  const std::size_t hidden = graph.unit_layers() - 2;
  std::vector<HiddenUnits> modules(clustering.clusters, HiddenUnits(hidden));
  for (std::size_t l = 0; l < hidden; ++l) {
    const std::size_t first = graph.first_unit(l + 1);
    for (std::size_t u = first; u < graph.first_unit(l + 2); ++u) {
      if (clustering.cluster[u] != kIsolated) {
        modules[clustering.cluster[u]][l].push_back(static_cast<std::uint32_t>(u - first));
      }
    }
  }
  std::erase_if(modules, [](const HiddenUnits& units) { return count_units(units) == 0; });
  return modules;
}

HiddenUnits whole_layer(const nn::Topology& topology, std::size_t layer) {
  require(layer < topology.hidden.size(), "whole layer: no such hidden layer");
  HiddenUnits units(topology.hidden.size());
  for (std::size_t j = 0; j < topology.hidden[layer]; ++j) {
    units[layer].push_back(static_cast<std::uint32_t>(j));
  }
  return units;
}

std::size_t count_units(const HiddenUnits& units) {
  std::size_t count = 0;
  for (const std::vector<std::uint32_t>& layer : units) {
    count += layer.size();
  }
  return count;
}

Border border_of(const WeightGraph& graph, const HiddenUnits& module) {
  const std::size_t hidden = graph.unit_layers() - 2;
  require(module.size() == hidden, "border: not one list of units a hidden layer");
  // Inputs and outputs of the network belong to no module.
  std::vector<std::vector<std::uint32_t>> inside(hidden + 2);
  std::ranges::copy(module, inside.begin() + 1);
  Border border{std::vector<std::vector<std::uint32_t>>(hidden + 2), HiddenUnits(hidden)};
  for (std::size_t l = 0; l + 1 < graph.unit_layers(); ++l) {
    const MatrixView<const float> weights = graph.weights(l);
    for (std::size_t j = 0; j < weights.cols(); ++j) {
      bool into = false;
      bool out = false;
      const bool from_inside = holds(inside[l], j);
      for (std::size_t i = 0; i < weights.rows(); ++i) {
        const bool edge = weights(i, j) > 0.0F;
        const bool to_inside = holds(inside[l + 1], i);
        into = into || (edge && !from_inside && to_inside);
        out = out || (edge && from_inside && !to_inside);
      }
      if (into) {
        border.inputs[l].push_back(static_cast<std::uint32_t>(j));
      }
      if (out) {
        border.outputs[l - 1].push_back(static_cast<std::uint32_t>(j));
      }
    }
  }
  return border;
}

}  // namespace interpscale::modules
