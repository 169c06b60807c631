// SPDX-License-Identifier: Apache-2.0
#include "interpscale/kernels/flops.hpp"

namespace interpscale::kernels {
namespace {

Flops slope_flops(Activation phi) {
  return phi == Activation::kRelu ? 0 : 2;
}

Flops multiply_by_slope_flops_per_element(Activation phi) {
  return phi == Activation::kRelu ? 0 : slope_flops(phi) + 1;
}

}  // namespace

Flops gemm_flops(GemmShape shape, EpilogueCost epilogue) {
  const Flops elements = Flops{shape.m} * shape.n;
  Flops per_element = 2 * Flops{shape.k};
  per_element += epilogue.scaled ? 1 : 0;
  per_element += epilogue.accumulated ? (epilogue.beta_is_one ? 1 : 2) : 0;
  per_element += epilogue.biased ? 1 : 0;
  return elements * per_element;
}

Flops activate_flops(Activation phi, std::uint64_t elements) {
  switch (phi) {
    case Activation::kRelu:
      return 0;
    case Activation::kSoftplus:
      return 3 * elements;
    case Activation::kTanh:
      return elements;
  }
  return 0;
}

Flops multiply_by_slope_flops(Activation phi, std::uint64_t elements) {
  return multiply_by_slope_flops_per_element(phi) * elements;
}

Flops multiply_flops(std::uint64_t elements) {
  return elements;
}
Flops accumulate_path_step_flops(std::uint64_t elements) {
  return 3 * elements;
}
Flops interpolate_flops(std::uint64_t elements) {
  return 3 * elements;
}

Flops column_sums_flops(std::uint64_t rows, std::uint64_t cols, bool accumulated) {
  return rows * cols + (accumulated ? 2 * cols : 0);
}

Flops column_moments_flops(std::uint64_t rows, std::uint64_t cols) {
  return 4 * rows * cols + 3 * cols;
}

Flops cross_entropy_flops(std::uint64_t rows, std::uint64_t classes) {
  return 3 * rows * classes + 3 * rows;
}

Flops cross_entropy_gradient_flops(std::uint64_t rows, std::uint64_t classes) {
  return cross_entropy_flops(rows, classes) + 2 * rows * classes + rows;
}

Flops soft_cross_entropy_flops(std::uint64_t rows, std::uint64_t classes) {
  return 5 * rows * classes + 2 * rows;
}

Flops squared_error_gradient_flops(std::uint64_t rows, std::uint64_t outputs) {
  return 4 * rows * outputs + rows;
}

Flops sgd_step_flops(std::uint64_t count) {
  return 4 * count;
}
Flops adam_step_flops(std::uint64_t count) {
  return 13 * count;
}
Flops rank_one_rows_flops(std::uint64_t rows, std::uint64_t width) {
  return 2 * rows * width;
}

Flops scale_jacobian_rows_flops(Activation phi, std::uint64_t units, std::uint64_t samples,
                                std::uint64_t inputs) {
  if (phi == Activation::kRelu) {
    return 0;
  }
  return units * samples * (inputs + slope_flops(phi));
}

Flops first_jacobian_flops(Activation phi, std::uint64_t units, std::uint64_t samples,
                           std::uint64_t inputs) {
  return scale_jacobian_rows_flops(phi, units, samples, inputs);
}

Flops accumulate_jacobian_flops(std::uint64_t units, std::uint64_t samples, std::uint64_t inputs) {
  return units * inputs * (samples + 2);
}

Flops multiply_change_flops(std::uint64_t elements) {
  return 2 * elements;
}
Flops multiply_by_ratio_flops(std::uint64_t elements) {
  return 3 * elements;
}
Flops multiply_by_secants_flops(Activation phi, std::uint64_t elements) {
  return (6 + slope_flops(phi)) * elements + activate_flops(phi, elements);
}
Flops scale_columns_flops(std::uint64_t elements) {
  return elements;
}
Flops count_positive_flops(std::uint64_t elements) {
  return elements;
}
Flops mutual_information_flops(std::uint64_t classes, std::uint64_t units) {
  return 16 * classes * units;
}
Flops unit_rows_flops(std::uint64_t rows, std::uint64_t cols) {
  return 4 * rows * cols + 2 * rows;
}

Flops invert_factor_flops(std::uint64_t n) {
  Flops flops = 0;
  for (std::uint64_t j = 0; j < n; ++j) {
    // A column of n - j: j products and differences each, then a square root or a quotient; and a
    // column of the inverse, one term more an element as it goes down.
    flops += (n - j) * (2 * j + 1) + (n - j) * (n - j);
  }
  return flops;
}

Flops add_changes_flops(std::uint64_t rows) {
  return 2 * rows;
}

Flops first_active_jacobian_flops(std::uint64_t active, std::uint64_t inputs, bool factors) {
  return factors ? active * inputs : 0;
}

Flops next_active_jacobian_flops(std::uint64_t links, std::uint64_t inputs) {
  return 2 * links * inputs;
}

Flops accumulate_active_jacobian_flops(std::uint64_t active, std::uint64_t inputs) {
  return 2 * active * inputs;
}

Flops rank_one_products_flops(std::uint64_t rows, std::uint64_t width, std::uint64_t links,
                              std::uint64_t outputs) {
  return rank_one_rows_flops(rows, width) + 2 * links * outputs + rows * outputs;
}

}  // namespace interpscale::kernels
