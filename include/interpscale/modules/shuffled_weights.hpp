// Is a network more clusterable than its weights are by chance? The null shuffles the weights of
// each layer (Filan et al. 2021).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "interpscale/modules/spectral_modules.hpp"

namespace interpscale::modules {

/// The network with the entries of each weight matrix in a random order, a pure function of (seed,
/// index). Biases stay.
[[nodiscard]] nn::Mlp<float> shuffled(const nn::Mlp<float>& network, std::uint64_t seed,
                                      std::uint64_t index);

struct ShuffledNull {
  std::vector<double> ncuts;  ///< of m shuffled networks
  double mean = 0;
  double deviation = 0;  ///< with m - 1 degrees of freedom
  double z = 0;          ///< (n-cut - mean) / deviation; below 0: more clusterable
  double p = 1;          ///< (r + 1) / (m + 1), r shuffles with an n-cut as small or smaller
};

/// `ncut` against m >= 2 n-cuts of shuffled networks; z is 0 where these do not scatter.
[[nodiscard]] ShuffledNull judge_against(double ncut, std::vector<double> ncuts);

/// Clusters `shuffles` shuffled networks with the same options, several at once on
/// `options.threads` threads; `done` (may be empty) is called after each, one at a time.
[[nodiscard]] Result<ShuffledNull> compare_with_shuffles(const nn::Mlp<float>& network, double ncut,
                                                         const SpectralOptions& options,
                                                         std::size_t shuffles, std::uint64_t seed,
                                                         const std::function<void()>& done = {});

}  // namespace interpscale::modules
