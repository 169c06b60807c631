// Symmetric positive definite systems by a blocked Cholesky factorisation whose products are the
// backend's: A = L L^T, then L (L^T X) = B. Diagonal blocks are factored and inverted in double
// precision; everything that grows faster is a product.
// Source: G. H. Golub and C. F. Van Loan, Matrix Computations, 4th ed., section 4.2.9.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "interpscale/core/matrix.hpp"
#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"

namespace interpscale::methods::engine {

inline constexpr std::size_t kCholeskyBlock = kernels::kLargestFactor;

/// x := a^-1 x; a [n, n], of which the lower triangle is read and overwritten; x [n, m]. A pivot
/// that is not positive is a contract violation: add to the diagonal first. Scratch:
/// `cholesky_bytes`.
void solve_positive_definite(MatrixView<float> a, MatrixView<float> x,
                             const kernels::Context<float>& context);

/// About n^3 / 3 + 2 n^2 m, with what the blocks' products do above the diagonal.
[[nodiscard]] kernels::Flops solve_positive_definite_flops(std::size_t n, std::size_t m);
[[nodiscard]] std::uint64_t cholesky_bytes(std::size_t n, std::size_t m);

}  // namespace interpscale::methods::engine
