// How much of each neuron known concepts explain: least squares on one, on k, on all of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/kernels/backend.hpp"

namespace interpscale::modules {

/// Shares of variance explained, R^2 in [0, 1]: [n, k], column i from i + 1 concepts. The first is
/// the best single one; each further concept is the one that explains most of what is left (forward
/// selection: exact for one concept and for all of them, else a lower bound of the best subset; the
/// best subset is not searched). Concepts that the chosen ones explain already add nothing.
///
/// `neurons` [D, n] and `concepts` [D, c] are standardised columns as `standardised_activations`
/// makes them; k <= c. 2 D c (n + c) FLOPs for products, O(n k c^2) for the selection. A neuron
/// that never varies has R^2 0.
[[nodiscard]] Matrix<double> explained_by_concepts(MatrixView<const float> neurons,
                                                   MatrixView<const float> concepts, std::size_t k,
                                                   const kernels::Context<float>& context);

/// One standardised column [D, classes] a label: is the sample of this class?
[[nodiscard]] Matrix<float> label_concepts(std::span<const std::uint32_t> labels,
                                           std::size_t classes);

}  // namespace interpscale::modules
