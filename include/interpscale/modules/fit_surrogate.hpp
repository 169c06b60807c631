// Surrogates fitted to a module's activations, streamed from data.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "interpscale/modules/splice.hpp"

namespace interpscale::modules {

enum class SurrogateKind {
  kLinear,       ///< h ~ W x + b of rank `size`, by least squares
  kLowRankRelu,  ///< h ~ phi(W x + b), W of rank `size`: least squares on the pre-activations
  kMlp,          ///< h ~ a network of `size` hidden units, distilled by gradient descent from where
                 ///< the linear map of that rank ends
};

/// "linear", "low_rank_relu", "mlp".
[[nodiscard]] std::string_view name_of(SurrogateKind kind);

struct SurrogateOptions {
  SurrogateKind kind = SurrogateKind::kLinear;
  /// In each layer: rank, or hidden units. A rank at or above the module's neurons in the layer is
  /// full: one stage.
  std::size_t size = 8;
  double ridge = 1e-6;     ///< times the mean variance of the layer below
  std::size_t epochs = 8;  ///< kMlp: Adam over the data set, cosine schedule
  std::size_t batch = 128;
  double rate = 3e-3;
  std::uint64_t seed = 1;
};

/// Fits one map a layer. Targets are the module's neurons in `network`; the maps read the layers
/// below as they are in `reads`, which is the network itself with nothing spliced in (true
/// activations) or with other surrogates (their own outputs), and of whose topology it is.
///
/// Least squares of rank r: with centred moments, B = (Sxx + ridge)^-1 Sxy, then the projection of
/// B onto the r leading directions of the fitted values (reduced-rank regression, Izenman 1975):
/// the best of that rank. D in^2 + in^3 / 3 FLOPs a layer in the leading order.
[[nodiscard]] Surrogate fit_surrogate(const nn::Mlp<float>& network, const HiddenUnits& module,
                                      const data::Dataset& dataset, const SplicedNetwork& reads,
                                      const SurrogateOptions& options,
                                      const kernels::Context<float>& context);

/// On true activations.
[[nodiscard]] Surrogate fit_surrogate(const nn::Mlp<float>& network, const HiddenUnits& module,
                                      const data::Dataset& dataset, const SurrogateOptions& options,
                                      const kernels::Context<float>& context);

}  // namespace interpscale::modules
