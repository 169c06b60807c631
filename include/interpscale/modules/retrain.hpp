// A module trained toward a model of it: locally, on its own outputs, by itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "interpscale/modules/splice.hpp"

namespace interpscale::modules {

struct RetrainOptions {
  std::size_t epochs = 4;
  std::size_t batch = 128;
  double rate = 1e-3;  ///< Adam's peak, cosine schedule
  std::uint64_t seed = 1;
};

/// The module's own weights, trained until its outputs are its surrogate's as far as that goes: in
/// each layer, squared error between the module's neurons and the surrogate's map, both reading the
/// network's true activations; nothing outside the module is looked at. The result is of the
/// module's own shape. 6 in m D FLOPs an epoch and layer of m neurons, in the leading order.
[[nodiscard]] Surrogate retrain_toward(const nn::Mlp<float>& network, const Surrogate& surrogate,
                                       const data::Dataset& dataset, const RetrainOptions& options,
                                       const kernels::Context<float>& context);

/// How the errors of several modules go together over samples.
struct ErrorCorrelation {
  double mean = 0;  ///< of the correlations over pairs of modules
  double root_mean_square = 0;
  /// Of independence: (r + 1) / (m + 1), r of m permutations of the samples, a different one for
  /// each module, with a sum of squared correlations as large or larger.
  double p = 1;
};

/// errors[module] [samples, outputs]: what a module's replacement alone does to each output of each
/// sample. The correlation of two modules is that of their centred errors as vectors over all
/// samples and outputs; 0 where one has no error. At least two modules and two samples.
[[nodiscard]] ErrorCorrelation correlate_errors(const std::vector<Matrix<float>>& errors,
                                                std::size_t permutations, std::uint64_t seed);

}  // namespace interpscale::modules
