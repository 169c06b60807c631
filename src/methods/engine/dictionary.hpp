// A sparse dictionary of one layer's activations: m atoms, of which each sample uses the k with the
// largest codes. What the definition and the fast variant have in common: the initial atoms, the
// choice of k, and what a trained dictionary is measured by.
// Source: Makhzani and Frey, k-Sparse Autoencoders, ICLR 2014; Gao et al., Scaling and evaluating
// sparse autoencoders, 2024.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "interpscale/core/random.hpp"
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

/// Random atoms of unit length, [m, w]: the same for a layer whatever the precision.
template <class T>
void fill_atoms(std::uint64_t seed, std::size_t layer, MatrixView<T> atoms) {
  constexpr std::uint64_t kDictionaryStream = std::uint64_t{1} << 41U;  // apart from other streams
  const RandomStream random(seed, kDictionaryStream + layer);
  for (std::size_t i = 0; i < atoms.rows(); ++i) {
    double squares = 0.0;
    for (std::size_t j = 0; j < atoms.cols(); ++j) {
      const double value = random.normal(i * atoms.cols() + j);
      squares += value * value;
    }
    const double length = std::sqrt(squares);
    for (std::size_t j = 0; j < atoms.cols(); ++j) {
      atoms(i, j) = static_cast<T>(random.normal(i * atoms.cols() + j) / length);
    }
  }
}

/// Keeps the k largest codes (of equal ones, those of the earlier latents), zeroes the others;
/// chosen[i] := 1 or 0. `order` is scratch, [m].
template <class T>
void keep_largest(std::size_t k, std::span<T> codes, std::span<T> chosen,
                  std::span<std::uint32_t> order) {
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  const auto larger = [&](std::uint32_t a, std::uint32_t b) {
    return codes[a] > codes[b] || (codes[a] == codes[b] && a < b);
  };
  if (k < codes.size()) {
    std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
                     larger);
  }
  std::fill(chosen.begin(), chosen.end(), T{0});
  for (std::size_t i = 0; i < k; ++i) {
    chosen[order[i]] = T{1};
  }
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = chosen[i] > T{0} ? codes[i] : T{0};
  }
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
