// Path integrals of every neuron's gradient in the inputs: K Jacobians of all hidden layers by
// matrix products, one at each Gauss-Legendre node, for tiles of samples side by side, so that
// memory does not grow with n B d.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"
#include "interpscale/methods/probe.hpp"

namespace interpscale::methods::engine {

/// What multiplies a neuron's gradient before it is integrated.
enum class PathFactor {
  kOne,             ///< da_j/dx_i
  kTargetGradient,  ///< (dF/da_j) (da_j/dx_i): what F gains through the neuron
};

/// out(j, i) := mean_b (x_i - x'_i) sum_k w_k factor da_j/dx_i at x' + t_k (x - x'), out [n, d].
void integrate_path_jacobians(const Probe<float>& probe, PathFactor factor,
                              const kernels::Context<float>& context, MatrixView<float> out);
[[nodiscard]] kernels::Flops path_jacobians_flops(const Problem& problem, PathFactor factor);
[[nodiscard]] std::uint64_t path_jacobians_bytes(const Problem& problem, PathFactor factor);

/// The same neuron by neuron: for each the whole path, its forward and backward passes.
void integrate_paths_one_by_one(const Probe<float>& probe, PathFactor factor,
                                const kernels::Context<float>& context, MatrixView<float> out);
[[nodiscard]] kernels::Flops paths_one_by_one_flops(const Problem& problem, PathFactor factor);
[[nodiscard]] std::uint64_t paths_one_by_one_bytes(const Problem& problem, PathFactor factor);

/// The definition, in double precision and obvious loops.
void integrate_paths_plainly(const Probe<double>& probe, PathFactor factor, MatrixView<double> out);

/// The relative error of any of these: that of activations, of slopes and gradients, and that of
/// the sums over nodes and samples.
[[nodiscard]] double path_jacobians_rounding(const nn::Topology& topology, std::size_t samples,
                                             std::size_t steps, PathFactor factor, double roundoff);

}  // namespace interpscale::methods::engine
