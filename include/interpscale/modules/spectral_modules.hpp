// `spectral_modules`: the partition of a network's units with the least normalised cut, by spectral
// clustering (Shi & Malik, "Normalized cuts and image segmentation", 2000), on the graph of
// absolute weights (Filan et al., "Clusterability in neural networks", 2021).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/modules/weight_graph.hpp"

namespace interpscale::modules {

/// The cluster of a unit that has no edges: it takes no part.
inline constexpr std::uint32_t kIsolated = std::numeric_limits<std::uint32_t>::max();

struct SpectralOptions {
  std::size_t clusters = 12;  ///< k
  std::size_t restarts = 25;  ///< of k-means
  std::uint64_t seed = 1;     ///< of k-means
  int threads = 1;
};

struct Clustering {
  std::vector<std::uint32_t> cluster;  ///< of each unit of the graph; kIsolated: of none
  std::size_t clusters = 0;            ///< k
  double ncut = 0;                     ///< in [0, k]
  std::vector<double> eigenvalues;     ///< k smallest of the normalised Laplacian, ascending
};

/// Sum over clusters of cut / volume: the weight of the edges that leave a cluster over the degrees
/// of its units. cluster [units]; 4 FLOPs a weight.
[[nodiscard]] double normalised_cut(const WeightGraph& graph,
                                    std::span<const std::uint32_t> cluster, std::size_t clusters);

/// The weight of the edges between clusters, symmetric [k, k]; those within a cluster count twice,
/// once from each end, so that a row adds up to the cluster's volume. 4 k FLOPs a weight.
[[nodiscard]] Matrix<double> weights_between(const WeightGraph& graph,
                                             const Clustering& clustering);

/// Embeds each unit that has edges as its row of D^(-1/2) V, V the eigenvectors of the k smallest
/// eigenvalues of I - D^(-1/2) A D^(-1/2), and clusters the rows by k-means. The eigenvectors of
/// eigenvalue 0 are those of the connected components, exactly; the others are found by Lanczos
/// (Spectra), or by a dense solver up to a few hundred units. n-cut >= the sum of `eigenvalues`.
/// Bits depend on the options' seed, not on the threads. An error where k is 0 or exceeds the
/// number of units with edges, or where Lanczos does not converge.
[[nodiscard]] Result<Clustering> spectral_modules(const WeightGraph& graph,
                                                  const SpectralOptions& options);

}  // namespace interpscale::modules
