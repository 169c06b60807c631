// What a map of one layer is fitted to: the layer below, and the module's neurons, on a data set.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "interpscale/modules/splice.hpp"

namespace interpscale::modules {

/// Activations below one layer, and the wanted values of some of its neurons.
struct LayerSamples {
  Matrix<float> below;  ///< x [D, fan_in(layer)], as `reads` computes it
  Matrix<float> z;      ///< [D, units]: the network's own pre-activations, of its own layer below
};

[[nodiscard]] LayerSamples layer_samples(const nn::Mlp<float>& network, const UnitMap& own,
                                         const data::Dataset& dataset, const SplicedNetwork& reads,
                                         const kernels::Context<float>& context);

}  // namespace interpscale::modules
