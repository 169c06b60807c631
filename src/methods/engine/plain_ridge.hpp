// Ridge regression of the labels on a layer's activations, in obvious loops (linear_probe.cpp has
// the formula). SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/methods/probe.hpp"
#include "methods/engine/plain.hpp"

namespace interpscale::methods::engine {

/// lambda: `ridge` times the mean over `width` neurons of their sums of squares; 1 for a silent
/// layer.
[[nodiscard]] double ridge_penalty(double ridge, double sum_of_squares, std::size_t width);

struct NormalEquations {
  Matrix<double> gram;  ///< sum (h - hbar)(h - hbar)^T + lambda I, [w, w]
  Matrix<double> rhs;   ///< sum (h - hbar)(y - ybar)^T, [w, C]
};

/// A pass of every sample of the data set.
[[nodiscard]] std::vector<PlainTrace> plain_traces(const Probe<double>& probe);

[[nodiscard]] NormalEquations plain_normal_equations(const Probe<double>& probe,
                                                     const std::vector<PlainTrace>& traces,
                                                     std::size_t layer);

/// x := a^-1 x by Cholesky, column by column, then forward and backward substitution; a is
/// overwritten.
void plain_solve(Matrix<double>& a, MatrixView<double> x);

}  // namespace interpscale::methods::engine
