// The smallest eigenvalues and eigenvectors of a graph's normalised Laplacian.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/core/result.hpp"
#include "interpscale/modules/weight_graph.hpp"

namespace interpscale::modules {

struct LaplacianSpectrum {
  std::vector<double> eigenvalues;  ///< k smallest of I - D^(-1/2) A D^(-1/2), ascending
  Matrix<double> embedding;         ///< [connected units, k]: rows of D^(-1/2) V
};

/// `connected` lists the units with edges, ascending; k is at most their number.
[[nodiscard]] Result<LaplacianSpectrum> smallest_eigenvectors(
    const WeightGraph& graph, const std::vector<std::size_t>& connected, std::size_t k,
    int threads);

}  // namespace interpscale::modules
