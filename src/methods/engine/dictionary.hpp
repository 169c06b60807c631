// A sparse dictionary of one layer's activations: m atoms, of which each sample uses the k with the
// largest codes. What the definition and the fast variant have in common: the extents, where the
// initial atoms come from, and what a trained dictionary is measured by.
// Source: Makhzani and Frey, k-Sparse Autoencoders, ICLR 2014; Gao et al., Scaling and evaluating
// sparse autoencoders, 2024.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "interpscale/methods/probe.hpp"

namespace interpscale::methods::engine {

/// m = r w, latents of a layer.
[[nodiscard]] inline std::size_t latents_of(const MethodOptions& options, std::size_t width) {
  return static_cast<std::size_t>(options.latents_per_unit) * width;
}
/// k, at most m.
[[nodiscard]] inline std::size_t active_of(const MethodOptions& options, std::size_t width) {
  return std::min(static_cast<std::size_t>(options.active_latents), latents_of(options, width));
}

/// The random stream of a layer's initial atoms: a row of `unit_rows` each.
[[nodiscard]] inline std::uint64_t atoms_stream(std::size_t layer) {
  constexpr std::uint64_t kDictionaryStream = std::uint64_t{1} << 41U;  // apart from other streams
  return kDictionaryStream + layer;
}

/// 1 / s, s^2 = the mean over the first block of norm(h)^2; a half where the layer is silent there.
[[nodiscard]] inline double inverse_scale(double sum_of_squares, std::size_t samples) {
  return sum_of_squares > 0.0 ? std::sqrt(static_cast<double>(samples) / sum_of_squares) : 0.5;
}

/// The variance that is there to be explained: sum norm(x)^2 - norm(sum x)^2 / D; 0 where it is
/// nothing beside the squares themselves.
[[nodiscard]] inline double variance_to_explain(double squares, double squared_sums,
                                                std::size_t samples) {
  constexpr double kNegligible = 1e-4;
  const double variance = squares - squared_sums / static_cast<double>(samples);
  return variance > kNegligible * squares ? variance : 0.0;
}

[[nodiscard]] inline double share_of(double part, double whole) {
  return whole > 0.0 ? part / whole : 0.0;
}

}  // namespace interpscale::methods::engine
