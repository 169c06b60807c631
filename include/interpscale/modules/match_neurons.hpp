// Which neurons of one network are those of another? Correlation over data, best-of-many and
// one-to-one (Li et al., "Convergent learning", ICLR 2016).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/kernels/backend.hpp"
#include "interpscale/nn/mlp.hpp"

namespace interpscale::modules {

/// Activations [D, n] of all hidden neurons, first hidden layer first, less their means and divided
/// by root(D) times their deviations, so that a product of two columns is a correlation. A neuron
/// that never varies is a column of zeros. 2 N D FLOPs.
[[nodiscard]] Matrix<float> standardised_activations(const nn::Mlp<float>& network,
                                                     MatrixView<const float> inputs,
                                                     const kernels::Context<float>& context);

/// Which columns [D, n] of those are of neurons that vary: not all zeros.
[[nodiscard]] std::vector<bool> varying(MatrixView<const float> standardised);

/// Absolute correlations [n, m] of standardised columns [D, n] and [D, m]. 2 D n m FLOPs.
[[nodiscard]] Matrix<float> absolute_correlations(MatrixView<const float> neurons,
                                                  MatrixView<const float> known,
                                                  const kernels::Context<float>& context);

/// The largest entry of each row: the best of many.
[[nodiscard]] std::vector<float> best_of_many(MatrixView<const float> correlations);

/// One column at most for each row and one row at most for each column, min(n, m) pairs, with the
/// largest sum of entries: shortest augmenting paths (Jonker and Volgenant 1987), O(s^2 t) for
/// s = min(n, m), t = max(n, m). Each row's entry; 0 for rows that are left over.
[[nodiscard]] std::vector<float> best_one_to_one(MatrixView<const float> correlations);

/// The level that best-of-many correlations exceed with probability `rate` (over neurons that vary)
/// when the known network sees other samples: quantile over `shuffles` random orders of its rows.
/// 2 D n m FLOPs each.
[[nodiscard]] double chance_level(MatrixView<const float> neurons, MatrixView<const float> known,
                                  double rate, std::size_t shuffles, std::uint64_t seed,
                                  const kernels::Context<float>& context);

}  // namespace interpscale::modules
