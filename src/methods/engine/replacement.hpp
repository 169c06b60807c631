// What the methods share that give one neuron another activation and look at the metric: zero
// ablation, mean ablation, patching from a donor.
//
// A naive loop repeats the whole forward pass for every neuron. The fast variant keeps the prefix,
// skips (sample, neuron) pairs whose activation would not change, reaches the next layer by a
// rank-one update, and stacks the rest of the network for many pairs into one product a layer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "interpscale/methods/spec.hpp"

namespace interpscale::methods::engine {

/// What a neuron's activation is replaced with.
enum class With {
  kZero,       ///< 0; the row is the mean effect over the samples, [n, 1]
  kBatchMean,  ///< its mean over the batch; [n, 1] as well
  kDonor,      ///< its activation on the sample's donor; the row is each sample's effect, [n, B]
};

struct Replacement {
  With with;
  Metric fallback;  ///< the metric where the options leave it to the method
};

/// metric(h_j := replacement) - metric, by whole passes in double precision.
[[nodiscard]] Analysis<double> replacement_reference(const Replacement& what);
/// "naive" and "fast".
[[nodiscard]] std::vector<Variant> replacement_variants(const Replacement& what);

/// What rounding may do to a difference of two metrics whose logits are at most `output_scale`.
[[nodiscard]] double rounding_of_effect(const nn::Topology& topology, double output_scale,
                                        double roundoff);
/// The same for the effects of a method: on the batch's logits, and on what is added to them.
[[nodiscard]] double effect_tolerance(const Problem& problem,
                                      MatrixView<const double> reference_values);

/// A neuron whose activation equals its replacement on every sample (of a row that is a mean), or
/// on one (of a sample's), has no effect there, to the bit.
[[nodiscard]] Identity unchanged_neurons(const Replacement& what);
/// In the last hidden layer the effect is that of y + (replacement - h_j) W_(:, j): no pass.
[[nodiscard]] Identity last_layer_closed_form(const Replacement& what);

}  // namespace interpscale::methods::engine
