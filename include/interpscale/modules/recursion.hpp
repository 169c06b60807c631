// A network understood part by part, from the inputs up: each part's surrogate reads what stands
// below it, the network's true activations or the outputs of the surrogates made before.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "interpscale/modules/fit_surrogate.hpp"

namespace interpscale::modules {

/// What a surrogate is fitted to read. Its targets are always the network's own neurons.
enum class Reads {
  kTrueActivations,
  kOwnOutputs,  ///< of the surrogates below: what it will read when all are in place
};

/// "true", "own".
[[nodiscard]] std::string_view name_of(Reads reads);

/// Each hidden layer as one part, first layer first.
[[nodiscard]] std::vector<HiddenUnits> parts_by_layer(const nn::Topology& topology);

/// Each module's neurons of one layer as a part, layers ascending, within a layer in the modules'
/// order. Modules that span the same layers read each other, and have no order among themselves;
/// their layers have: no part reads another of its own layer or of a later one.
[[nodiscard]] std::vector<HiddenUnits> parts_by_module(const std::vector<HiddenUnits>& modules);

struct RecursionOptions {
  SurrogateOptions surrogate;  ///< its size is not looked at
  /// The size of a part's surrogate as a share of the part's neurons, rounded up.
  double size_share = 0.125;
  Reads reads = Reads::kOwnOutputs;
};

/// A surrogate a part, in the parts' order; each part holds neurons of one layer, and layers never
/// descend. As `fit_surrogate` of each part on the network spliced with the surrogates so far (or
/// with none), but in one pass: activations of a layer [D, w], true and own, are made once, from
/// those of the layer below. 2 N D FLOPs for the true ones, as much or less for the surrogates'
/// own, and the fits.
[[nodiscard]] std::vector<Surrogate> understand_in_order(const nn::Mlp<float>& network,
                                                         const std::vector<HiddenUnits>& parts,
                                                         const data::Dataset& dataset,
                                                         const RecursionOptions& options,
                                                         const kernels::Context<float>& context);

}  // namespace interpscale::modules
