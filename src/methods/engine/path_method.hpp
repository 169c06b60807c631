// What the methods that integrate every neuron's gradient along a path have in common: all but the
// factor, its name and what else it satisfies.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "interpscale/methods/spec.hpp"
#include "methods/engine/path_jacobian.hpp"

namespace interpscale::methods::engine {

/// Columns, reference, variants (naive and fast, with these summaries) and tolerance. Name,
/// summary, formula, source and identities are left to the method.
[[nodiscard]] MethodSpec path_method(PathFactor factor, std::string naive, std::string fast);

/// Summed over the inputs, a neuron's row is the quadrature of factor dh_j/dt, the derivative along
/// the path, taken here in forward mode.
[[nodiscard]] Identity::Verdict sums_are_derivatives_along_path(const Probe<double>& probe,
                                                                PathFactor factor,
                                                                MatrixView<const double> values,
                                                                double epsilon);

/// `path_jacobians_rounding` of a problem's shapes and options.
[[nodiscard]] double path_rounding(const Probe<double>& probe, PathFactor factor, double roundoff);

}  // namespace interpscale::methods::engine
