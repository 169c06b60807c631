// Pairwise ablation in double precision: its definition, and what is true of its exact values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "interpscale/methods/spec.hpp"

namespace interpscale::methods::engine {

/// The loss, unless the options say otherwise.
[[nodiscard]] Metric interaction_metric(const MethodOptions& options);

/// The read-out is linear: for F, neurons of the last hidden layer do not interact.
[[nodiscard]] bool interactions_vanish(const nn::Topology& topology, Metric metric,
                                       std::size_t layer);

/// out [n, n] := mean over samples of metric(both at zero) - metric(one) - metric(other) + metric,
/// by whole passes from the second neuron's layer on.
void plain_interactions(const Probe<double>& probe, const kernels::Context<double>& context,
                        MatrixView<double> out);

/// Largest |difference| of a float variant, given the exact values.
[[nodiscard]] double interaction_tolerance(const Problem& problem,
                                           MatrixView<const double> reference_values);

/// Symmetric; on the diagonal minus the effect of zero ablation; in the last hidden layer from
/// logits alone.
[[nodiscard]] std::vector<Identity> interaction_identities();

}  // namespace interpscale::methods::engine
