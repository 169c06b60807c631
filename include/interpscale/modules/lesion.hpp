// What a module does for the network: its neurons ablated all at once, against random sets of the
// same size in each layer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "interpscale/data/dataset.hpp"
#include "interpscale/kernels/backend.hpp"
#include "interpscale/modules/module.hpp"

namespace interpscale::modules {

/// The network with the activations of these neurons at zero: their outgoing weights are.
[[nodiscard]] nn::Mlp<float> ablated(const nn::Mlp<float>& network, const HiddenUnits& units);

/// As many neurons of each layer, drawn without replacement; a pure function of (seed, index).
[[nodiscard]] HiddenUnits random_units_like(const HiddenUnits& units, const nn::Topology& topology,
                                            std::uint64_t seed, std::uint64_t index);

/// What each of these neurons does by itself: the rise of the mean loss over labelled samples when
/// its activation is zero, layer by layer in the order of `units`. Up to its layer a pass is made
/// once, behind it once a neuron: 2 D FLOPs for every weight behind the neuron's layer.
[[nodiscard]] std::vector<double> ablation_effects(const nn::Mlp<float>& network,
                                                   const HiddenUnits& units,
                                                   const data::Dataset& dataset,
                                                   const kernels::Context<float>& context);

struct Lesion {
  std::size_t neurons = 0;
  double loss_increase = 0;           ///< of the data set's mean loss
  std::vector<double> random_losses;  ///< the same of each random set
  double z = 0;                       ///< against those; above 0: matters more than its size
  double p = 1;  ///< (r + 1) / (m + 1), r random sets that matter as much or more
};

/// One evaluation of the data set for the module and one for each of `sets` >= 2 random sets.
/// `whole_loss` is the network's own loss on it.
[[nodiscard]] Lesion lesion(const nn::Mlp<float>& network, double whole_loss,
                            const HiddenUnits& units, const data::Dataset& dataset,
                            std::size_t sets, std::uint64_t seed,
                            const kernels::Context<float>& context);

}  // namespace interpscale::modules
