// The stages of one map, fitted to samples of its layer: what every surrogate is made of.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "interpscale/modules/fit_surrogate.hpp"
#include "modules/layer_samples.hpp"

namespace interpscale::modules {

/// As `fit_surrogate` describes, one layer. phi: the network's activation.
[[nodiscard]] std::vector<Stage> fitted_stages(LayerSamples samples, kernels::Activation phi,
                                               const SurrogateOptions& options,
                                               const kernels::Context<float>& context);

}  // namespace interpscale::modules
