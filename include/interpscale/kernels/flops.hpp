// What a kernel call counts for. One convention for declared and counted costs:
// an addition, subtraction, multiplication, division, square root, exponential, logarithm or
// hyperbolic tangent is one FLOP; comparisons, maxima, negation, copies and conversions are none;
// an FMA is two. A ReLU is therefore free and a product costs 2 m n k.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "interpscale/kernels/activation.hpp"
#include "interpscale/kernels/gemm.hpp"

namespace interpscale::kernels {

using Flops = std::uint64_t;

/// Which fused operations a product carries (only those that cost arithmetic).
struct EpilogueCost {
  bool scaled = false;       ///< alpha != 1: m n
  bool accumulated = false;  ///< beta != 0: m n, and m n more unless beta is 1
  bool beta_is_one = true;
  bool biased = false;  ///< m n
};

/// 2 m n k plus the epilogue.
[[nodiscard]] Flops gemm_flops(GemmShape shape, EpilogueCost epilogue = {});
/// Per element: relu 0, softplus 3 (exp, 1 +, log), tanh 1.
[[nodiscard]] Flops activate_flops(Activation phi, std::uint64_t elements);
/// Per element: relu 0 (a selection), softplus 3 (exp, 1 -, times), tanh 3.
[[nodiscard]] Flops multiply_by_slope_flops(Activation phi, std::uint64_t elements);
[[nodiscard]] Flops multiply_flops(std::uint64_t elements);              // 1
[[nodiscard]] Flops accumulate_path_step_flops(std::uint64_t elements);  // 3
[[nodiscard]] Flops interpolate_flops(std::uint64_t elements);           // 3
/// One addition an element; `accumulated` (beta != 0) adds 2 a column.
[[nodiscard]] Flops column_sums_flops(std::uint64_t rows, std::uint64_t cols, bool accumulated);
/// 1 (sum) + 3 (subtract, square, add) an element, 3 a column (three divisions).
[[nodiscard]] Flops column_moments_flops(std::uint64_t rows, std::uint64_t cols);
/// Per element: subtract, exp, add; per row: log, add, subtract.
[[nodiscard]] Flops cross_entropy_flops(std::uint64_t rows, std::uint64_t classes);
/// The same, and per element divide and scale; per row the subtraction of the one-hot target.
[[nodiscard]] Flops cross_entropy_gradient_flops(std::uint64_t rows, std::uint64_t classes);
/// Per element: subtract, exp, add, multiply, add; per row: log, add.
[[nodiscard]] Flops soft_cross_entropy_flops(std::uint64_t rows, std::uint64_t classes);
/// Per element: subtract, square, add, scale; per row: one division.
[[nodiscard]] Flops squared_error_gradient_flops(std::uint64_t rows, std::uint64_t outputs);
[[nodiscard]] Flops sgd_step_flops(std::uint64_t count);                           // 4 a weight
[[nodiscard]] Flops adam_step_flops(std::uint64_t count);                          // 13 a weight
[[nodiscard]] Flops rank_one_rows_flops(std::uint64_t rows, std::uint64_t width);  // 2
/// As multiply_by_slope, an element of the Jacobian (a slope is computed once per unit and sample).
[[nodiscard]] Flops scale_jacobian_rows_flops(Activation phi, std::uint64_t units,
                                              std::uint64_t samples, std::uint64_t inputs);
[[nodiscard]] Flops first_jacobian_flops(Activation phi, std::uint64_t units, std::uint64_t samples,
                                         std::uint64_t inputs);
/// One addition an element, and a multiplication and an addition an output.
[[nodiscard]] Flops accumulate_jacobian_flops(std::uint64_t units, std::uint64_t samples,
                                              std::uint64_t inputs);
[[nodiscard]] Flops multiply_change_flops(std::uint64_t elements);    // 2
[[nodiscard]] Flops multiply_by_ratio_flops(std::uint64_t elements);  // 3
/// Per element: two differences, a quotient, a product; the point halfway (2), phi and its slope
/// there.
[[nodiscard]] Flops multiply_by_secants_flops(Activation phi, std::uint64_t elements);
[[nodiscard]] Flops scale_columns_flops(std::uint64_t elements);   // 1
[[nodiscard]] Flops count_positive_flops(std::uint64_t elements);  // 1
/// Per class and unit: an addition to the active samples, a difference, and for both cells a share,
/// a quotient of two products, a logarithm, a product and an addition.
[[nodiscard]] Flops mutual_information_flops(std::uint64_t classes, std::uint64_t units);
/// A normal number counts as one; square, addition and product with the inverse length; per row its
/// square root and quotient.
[[nodiscard]] Flops unit_rows_flops(std::uint64_t rows, std::uint64_t cols);
/// About n^3 / 3 for the factor and as much for its inverse.
[[nodiscard]] Flops invert_factor_flops(std::uint64_t n);
[[nodiscard]] Flops add_changes_flops(std::uint64_t rows);  // 2
/// `active`: (sample, unit) pairs that are active; `links`: (sample, active unit, active unit
/// below). A multiplication an element where there are factors.
[[nodiscard]] Flops first_active_jacobian_flops(std::uint64_t active, std::uint64_t inputs,
                                                bool factors);
[[nodiscard]] Flops next_active_jacobian_flops(std::uint64_t links, std::uint64_t inputs);
/// A multiplication and an addition an element; that of a scale and a gain is not counted.
[[nodiscard]] Flops accumulate_active_jacobian_flops(std::uint64_t active, std::uint64_t inputs);
/// `links`: (row, unit active in its sample's z). The rank-one updates in full, the products over
/// the links, the bias.
[[nodiscard]] Flops rank_one_products_flops(std::uint64_t rows, std::uint64_t width,
                                            std::uint64_t links, std::uint64_t outputs);

}  // namespace interpscale::kernels
