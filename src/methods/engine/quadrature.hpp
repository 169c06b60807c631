// Gauss-Legendre quadrature on [0, 1]: the nodes and weights of path integrals. K nodes integrate
// polynomials of degree 2 K - 1 exactly.
// Source: P. J. Davis and P. Rabinowitz, Methods of Numerical Integration, 2nd ed., section 2.7.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "interpscale/core/workspace.hpp"
#include "interpscale/methods/probe.hpp"

namespace interpscale::methods::engine {

/// positions[k] := the k-th node of K in (0, 1), ascending; weights[k] := its weight, which add up
/// to 1. Both [K], K > 0, each right to a rounding of double: Newton's iteration on the Legendre
/// polynomial in extended precision, O(K^2).
void gauss_legendre(std::span<double> positions, std::span<double> weights);

/// K of the options, which has to be positive.
[[nodiscard]] std::size_t path_steps(const MethodOptions& options);

/// The rule with K nodes, in scratch memory.
struct GaussLegendre {
  GaussLegendre(std::size_t nodes, Workspace& workspace);

  std::span<double> positions;  ///< [K]
  std::span<double> weights;    ///< [K]

  [[nodiscard]] static std::uint64_t scratch_bytes(std::size_t nodes);
};

}  // namespace interpscale::methods::engine
