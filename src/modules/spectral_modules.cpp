// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/spectral_modules.hpp"

#include <algorithm>

#include "interpscale/core/require.hpp"
#include "interpscale/modules/k_means.hpp"
#include "modules/normalised_laplacian.hpp"

namespace interpscale::modules {

Matrix<double> weights_between(const WeightGraph& graph, const Clustering& clustering) {
  require(clustering.cluster.size() == graph.units(), "clusters of another graph");
  Matrix<double> result(clustering.clusters, clustering.clusters);
  std::vector<double> members(graph.units());
  std::vector<double> into(graph.units());
  for (std::size_t c = 0; c < clustering.clusters; ++c) {
    std::ranges::transform(clustering.cluster, members.begin(),
                           [c](std::uint32_t cluster) { return cluster == c ? 1.0 : 0.0; });
    graph.multiply(members, into, 1);
    for (std::size_t u = 0; u < graph.units(); ++u) {
      if (clustering.cluster[u] != kIsolated) {
        result(c, clustering.cluster[u]) += into[u];
      }
    }
  }
  return result;
}

double normalised_cut(const WeightGraph& graph, std::span<const std::uint32_t> cluster,
                      std::size_t clusters) {
  require(cluster.size() == graph.units(), "n-cut: not one cluster a unit");
  std::vector<double> cut(clusters, 0.0);
  std::vector<double> volume(clusters, 0.0);
  for (std::size_t l = 0; l + 1 < graph.unit_layers(); ++l) {
    const MatrixView<const float> weights = graph.weights(l);
    const std::span<const std::uint32_t> below =
        cluster.subspan(graph.first_unit(l), weights.cols());
    for (std::size_t i = 0; i < weights.rows(); ++i) {
      const std::uint32_t above = cluster[graph.first_unit(l + 1) + i];
      for (std::size_t j = 0; j < weights.cols(); ++j) {
        if (!(weights(i, j) > 0.0F)) {
          continue;
        }
        const auto weight = static_cast<double>(weights(i, j));
        require(above < clusters && below[j] < clusters, "n-cut: a unit with edges in no cluster");
        volume[above] += weight;
        volume[below[j]] += weight;
        if (above != below[j]) {
          cut[above] += weight;
          cut[below[j]] += weight;
        }
      }
    }
  }
  double sum = 0;
  for (std::size_t c = 0; c < clusters; ++c) {
    sum += volume[c] > 0 ? cut[c] / volume[c] : 0.0;
  }
  return sum;
}

Result<Clustering> spectral_modules(const WeightGraph& graph, const SpectralOptions& options) {
  std::vector<std::size_t> connected;
  for (std::size_t u = 0; u < graph.units(); ++u) {
    if (graph.degrees()[u] > 0) {
      connected.push_back(u);
    }
  }
  if (options.clusters == 0 || options.clusters > connected.size()) {
    return fail("clusters: found {}, wanted 1 to {}: the network has {} units with weights",
                options.clusters, connected.size(), connected.size());
  }
  Result<LaplacianSpectrum> spectrum =
      smallest_eigenvectors(graph, connected, options.clusters, options.threads);
  if (!spectrum) {
    return tl::unexpected(spectrum.error());
  }
  const KMeansResult rows =
      k_means(spectrum->embedding,
              {.clusters = options.clusters, .restarts = options.restarts, .seed = options.seed});
  Clustering result;
  result.clusters = options.clusters;
  result.cluster.assign(graph.units(), kIsolated);
  for (std::size_t i = 0; i < connected.size(); ++i) {
    result.cluster[connected[i]] = rows.cluster[i];
  }
  result.ncut = normalised_cut(graph, result.cluster, options.clusters);
  result.eigenvalues = std::move(spectrum->eigenvalues);
  return result;
}

}  // namespace interpscale::modules
