// How much of the target output's change each input brings about through each neuron: conductance,
// resolved by inputs, along the path from a baseline, mean over the batch.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "methods/engine/path_method.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec neuron_conductance();

namespace {

using engine::PathFactor;
using kernels::Context;

constexpr PathFactor kFactor = PathFactor::kTargetGradient;

/// The neuron's conductance: (dF/dh_j) (dh_j/dt), integrated.
Identity::Verdict conductance(const Probe<double>& probe, const Context<double>&,
                              MatrixView<const double> values, double epsilon) {
  return engine::sums_are_derivatives_along_path(probe, kFactor, values, epsilon);
}

/// Everything that an input does to F passes through every layer: the rows of a layer add up to the
/// integrated gradients of F, whichever the layer.
Identity::Verdict same_in_every_layer(const Probe<double>& probe, const Context<double>&,
                                      MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  Identity::Verdict verdict;
  double magnitude = 0.0;
  std::vector<double> first;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<const double> rows = engine::layer_rows(values, topology, layer);
    std::vector<double> sums(values.cols(), 0.0);
    std::vector<double> terms(values.cols(), 0.0);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      for (std::size_t i = 0; i < sums.size(); ++i) {
        sums[i] += rows(j, i);
        terms[i] += std::abs(rows(j, i));
      }
    }
    first = layer == 0 ? sums : first;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      verdict.deviation = std::fmax(verdict.deviation, std::abs(sums[i] - first[i]));
      magnitude = std::fmax(magnitude, terms[i]);
    }
  }
  verdict.allowed = 2.0 * magnitude * engine::path_rounding(probe, kFactor, epsilon);
  return verdict;
}

}  // namespace

MethodSpec neuron_conductance() {
  MethodSpec spec = engine::path_method(
      kFactor,
      "K forward passes, backward passes to the neuron and from it to the inputs, for every neuron",
      "K times one backward pass and the Jacobians of all layers by matrix products; ReLU: over "
      "active units alone");
  spec.name = "neuron_conductance";
  spec.summary = "share of every input in the output's change through a neuron, along a path";
  spec.formula =
      "mean_b (x_i - x'_i) sum_k w_k (dF/dh_j) (dh_j/dx_i) at x' + t_k (x - x'), "
      "Gauss-Legendre";
  spec.source = "Dhamdhere et al., How important is a neuron?, ICLR 2019";
  spec.identities = {
      {"summed over inputs: the quadrature of (dF/dh_j) (dh_j/dt), the neuron's "
       "conductance",
       conductance},
      {"the rows of a layer add up to the same in every layer", same_in_every_layer}};
  return spec;
}

}  // namespace interpscale::methods
