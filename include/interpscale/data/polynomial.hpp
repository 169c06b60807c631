// Regression on sums of monomials: a task whose targets share parts, so that a network that learns
// it could fall into modules (Filan et al., "Clusterability in neural networks", 2021).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "interpscale/data/dataset.hpp"

namespace interpscale::data {

/// x^i y^j for i, j in 0..2.
inline constexpr std::size_t kMonomials = 9;
/// One target for every subset of the monomials, the empty one among them.
inline constexpr std::size_t kPolynomials = std::size_t{1} << kMonomials;

/// inputs [samples, 2] from N(0, I); targets [samples, 512]: target c is the sum of the monomials
/// x^i y^j whose bit 3 i + j is set in c. `stream` tells data sets of one seed apart.
[[nodiscard]] Dataset polynomial_task(std::size_t samples, std::uint64_t seed,
                                      std::uint64_t stream);

}  // namespace interpscale::data
