// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/spectral_modules.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>

#include "interpscale/core/random.hpp"
#include "interpscale/modules/k_means.hpp"
#include "interpscale/modules/shuffled_weights.hpp"
#include "support/catch.hpp"

namespace interpscale::modules {
namespace {

nn::Topology topology_of(std::size_t inputs, std::vector<std::size_t> hidden, std::size_t outputs) {
  return {inputs, std::move(hidden), outputs, kernels::Activation::kRelu};
}

/// Unit j of a layer of w units belongs to block j * blocks / w.
std::size_t block_of(std::size_t unit, std::size_t width, std::size_t blocks) {
  return unit * blocks / width;
}

/// Weights between units of different blocks times `across`.
nn::Mlp<float> planted(const nn::Topology& topology, std::size_t blocks, float across,
                       std::uint64_t seed) {
  nn::Mlp<float> network = nn::initialise_he<float>(topology, seed);
  for (nn::DenseLayer<float>& layer : network.layers) {
    Matrix<float>& weights = layer.weights;
    for (std::size_t i = 0; i < weights.rows(); ++i) {
      for (std::size_t j = 0; j < weights.cols(); ++j) {
        if (block_of(i, weights.rows(), blocks) != block_of(j, weights.cols(), blocks)) {
          weights(i, j) *= across;
        }
      }
    }
  }
  return network;
}

/// The planted block of each unit of the graph.
std::vector<std::size_t> planted_blocks(const WeightGraph& graph, std::size_t blocks) {
  std::vector<std::size_t> result;
  for (std::size_t l = 0; l < graph.unit_layers(); ++l) {
    const std::size_t width = graph.first_unit(l + 1) - graph.first_unit(l);
    for (std::size_t j = 0; j < width; ++j) {
      result.push_back(block_of(j, width, blocks));
    }
  }
  return result;
}

/// Whether two labellings are the same partition.
template <class A, class B>
bool same_partition(const std::vector<A>& first, const std::vector<B>& second) {
  std::set<std::pair<A, B>> pairs;
  for (std::size_t i = 0; i < first.size(); ++i) {
    pairs.emplace(first[i], second[i]);
  }
  return pairs.size() == std::set<A>(first.begin(), first.end()).size() &&
         pairs.size() == std::set<B>(second.begin(), second.end()).size();
}

/// Hidden units of each layer in another order; the network computes the same.
nn::Mlp<float> permuted(const nn::Mlp<float>& network, std::uint64_t seed) {
  nn::Mlp<float> result = network;
  for (std::size_t l = 0; l + 1 < network.layers.size(); ++l) {
    const nn::Mlp<float> before = result;
    const std::vector<std::size_t> order =
        RandomStream(seed, l).permutation(network.topology.hidden[l]);
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::ranges::copy(before.layers[l].weights.row(order[i]),
                        result.layers[l].weights.row(i).begin());
      for (std::size_t o = 0; o < result.layers[l + 1].weights.rows(); ++o) {
        result.layers[l + 1].weights(o, i) = before.layers[l + 1].weights(o, order[i]);
      }
    }
  }
  return result;
}

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

}  // namespace

TEST_CASE("spectral modules: block-diagonal weights give no cut and the planted partition",
          "[modules]") {
  // 64 units go to the dense solver, 384 to Lanczos.
  for (const std::size_t width : {std::size_t{16}, std::size_t{96}}) {
    const nn::Mlp<float> network = planted(topology_of(width, {width, width}, width), 4, 0.0F, 3);
    const WeightGraph graph(network);
    const auto found = spectral_modules(graph, {.clusters = 4, .restarts = 25, .seed = 1});
    REQUIRE(found);
    CHECK(found->ncut == 0.0);
    CHECK(same_partition(found->cluster, planted_blocks(graph, 4)));
    CHECK(found->eigenvalues == std::vector<double>(4, 0.0));
  }
}

TEST_CASE("spectral modules: weakly joined blocks are found, and n-cut respects its bounds",
          "[modules]") {
  for (const std::size_t width : {std::size_t{16}, std::size_t{96}}) {
    const nn::Mlp<float> network = planted(topology_of(width, {width, width}, width), 4, 0.02F, 5);
    const WeightGraph graph(network);
    const auto found = spectral_modules(graph, {.clusters = 4, .restarts = 25, .seed = 1});
    REQUIRE(found);
    CHECK(same_partition(found->cluster, planted_blocks(graph, 4)));
    CHECK(found->ncut > 0.0);
    CHECK(found->ncut < 4.0);
    // Each eigenvalue is known to the solver's tolerance.
    CHECK(found->ncut >= sum_of(found->eigenvalues) - 4e-6);
    CHECK(std::ranges::is_sorted(found->eigenvalues));
  }
}

TEST_CASE("spectral modules: weights between clusters are symmetric and give the n-cut back",
          "[modules]") {
  const nn::Mlp<float> network = planted(topology_of(16, {16, 16}, 16), 4, 0.02F, 5);
  const WeightGraph graph(network);
  const auto found = spectral_modules(graph, {.clusters = 4, .restarts = 25, .seed = 1});
  REQUIRE(found);
  const Matrix<double> weights = weights_between(graph, *found);
  double cut = 0;
  double total = 0;
  for (std::size_t c = 0; c < 4; ++c) {
    double volume = 0;
    for (std::size_t d = 0; d < 4; ++d) {
      volume += weights(c, d);
      CHECK(weights(c, d) == Approx(weights(d, c)));
    }
    cut += (volume - weights(c, c)) / volume;
    total += volume;
  }
  CHECK(cut == Approx(found->ncut));
  CHECK(total == Approx(std::accumulate(graph.degrees().begin(), graph.degrees().end(), 0.0)));
}

TEST_CASE("spectral modules: the order of a layer's neurons plays no part", "[modules]") {
  const nn::Mlp<float> network = planted(topology_of(60, {80, 80}, 60), 5, 0.05F, 7);
  const nn::Mlp<float> reordered = permuted(network, 11);
  const SpectralOptions options{.clusters = 5, .restarts = 25, .seed = 2};
  const auto first = spectral_modules(WeightGraph(network), options);
  const auto second = spectral_modules(WeightGraph(reordered), options);
  REQUIRE(first);
  REQUIRE(second);
  // The same partition: its n-cut is the same sum in another order.
  CHECK(second->ncut == Approx(first->ncut).epsilon(1e-12));
  for (std::size_t e = 0; e < first->eigenvalues.size(); ++e) {
    CHECK(second->eigenvalues[e] == Approx(first->eigenvalues[e]).margin(1e-6));
  }
}

TEST_CASE("spectral modules: any number of threads gives the same bits", "[modules]") {
  const nn::Mlp<float> network = nn::initialise_he<float>(topology_of(20, {90, 70, 80}, 30), 4);
  const WeightGraph graph(network);
  const auto one = spectral_modules(graph, {.clusters = 6, .seed = 1, .threads = 1});
  const auto three = spectral_modules(graph, {.clusters = 6, .seed = 1, .threads = 3});
  REQUIRE(one);
  REQUIRE(three);
  CHECK(one->ncut == three->ncut);
  CHECK(one->cluster == three->cluster);
  CHECK(one->eigenvalues == three->eigenvalues);
}

TEST_CASE("spectral modules: isolated units are left out", "[modules]") {
  nn::Mlp<float> network = planted(topology_of(12, {12, 12}, 12), 3, 0.0F, 9);
  // Neuron 5 of the first hidden layer: no weight in, none out.
  std::ranges::fill(network.layers[0].weights.row(5), 0.0F);
  for (std::size_t i = 0; i < 12; ++i) {
    network.layers[1].weights(i, 5) = 0.0F;
  }
  const auto found = spectral_modules(WeightGraph(network), {.clusters = 3, .seed = 1});
  REQUIRE(found);
  CHECK(found->ncut == 0.0);
  CHECK(found->cluster[12 + 5] == kIsolated);
  CHECK(std::ranges::count(found->cluster, kIsolated) == 1);
}

TEST_CASE("spectral modules: more clusters than units is one clear message", "[modules]") {
  const nn::Mlp<float> network = nn::initialise_he<float>(topology_of(2, {3}, 2), 1);
  const WeightGraph graph(network);
  for (const std::size_t clusters : {std::size_t{0}, std::size_t{8}}) {
    const auto found = spectral_modules(graph, {.clusters = clusters});
    REQUIRE_FALSE(found);
    CHECK(found.error().message == "clusters: found " + std::to_string(clusters) +
                                       ", wanted 1 to 7: the network has 7 units with weights");
  }
  const auto all = spectral_modules(graph, {.clusters = 7});
  REQUIRE(all);
  CHECK(all->ncut == Approx(7.0));
}

TEST_CASE("weight graph: a product equals the adjacency matrix's", "[modules]") {
  const nn::Mlp<float> network = nn::initialise_he<float>(topology_of(5, {19, 3}, 10), 8);
  const WeightGraph graph(network);
  REQUIRE(graph.units() == 37);
  Matrix<double> adjacency(37, 37);
  for (std::size_t l = 0; l < 3; ++l) {
    const Matrix<float>& weights = network.layers[l].weights;
    for (std::size_t i = 0; i < weights.rows(); ++i) {
      for (std::size_t j = 0; j < weights.cols(); ++j) {
        const double weight = std::abs(static_cast<double>(weights(i, j)));
        adjacency(graph.first_unit(l + 1) + i, graph.first_unit(l) + j) = weight;
        adjacency(graph.first_unit(l) + j, graph.first_unit(l + 1) + i) = weight;
      }
    }
  }
  std::vector<double> x(37);
  for (std::size_t u = 0; u < 37; ++u) {
    x[u] = RandomStream(1, 2).normal(u);
  }
  std::vector<double> product(37);
  graph.multiply(x, product, 2);
  for (std::size_t u = 0; u < 37; ++u) {
    double expected = 0;
    double magnitude = 0;
    double degree = 0;
    for (std::size_t v = 0; v < 37; ++v) {
      expected += adjacency(u, v) * x[v];
      magnitude += std::abs(adjacency(u, v) * x[v]);
      degree += adjacency(u, v);
    }
    // 37 additions in either order.
    CHECK(std::abs(product[u] - expected) <= 37 * 2.3e-16 * magnitude);
    CHECK(graph.degrees()[u] == Approx(degree));
  }
}

TEST_CASE("k-means: well separated points fall into their groups", "[modules]") {
  Matrix<double> points(60, 2);
  std::vector<std::size_t> groups;
  for (std::size_t i = 0; i < 60; ++i) {
    groups.push_back(i % 4);
    points(i, 0) = 10.0 * static_cast<double>(i % 4 / 2) + RandomStream(1, 1).uniform(2 * i);
    points(i, 1) = 10.0 * static_cast<double>(i % 2) + RandomStream(1, 1).uniform(2 * i + 1);
  }
  const KMeansResult found = k_means(points, {.clusters = 4, .restarts = 25, .seed = 3});
  CHECK(same_partition(found.cluster, groups));
  CHECK(found.inertia < 60 * 0.5);
}

TEST_CASE("k-means: as many clusters as points, and points that coincide", "[modules]") {
  Matrix<double> points(6, 1);  // all at 0
  const KMeansResult found = k_means(points, {.clusters = 6, .restarts = 2, .seed = 1});
  CHECK(std::set<std::uint32_t>(found.cluster.begin(), found.cluster.end()).size() == 6);
  CHECK(found.inertia == 0.0);
}

TEST_CASE("shuffled weights: the same numbers in another order, layer by layer", "[modules]") {
  const nn::Mlp<float> network = nn::initialise_he<float>(topology_of(7, {9}, 5), 2);
  const nn::Mlp<float> other = shuffled(network, 1, 0);
  for (std::size_t l = 0; l < 2; ++l) {
    std::multiset<float> before;
    std::multiset<float> after;
    for (std::size_t i = 0; i < network.layers[l].weights.rows(); ++i) {
      for (std::size_t j = 0; j < network.layers[l].weights.cols(); ++j) {
        before.insert(network.layers[l].weights(i, j));
        after.insert(other.layers[l].weights(i, j));
      }
    }
    CHECK(before == after);
    CHECK(network.layers[l].weights(0, 0) != other.layers[l].weights(0, 0));
  }
}

TEST_CASE("shuffled weights: mean, deviation, z and p of a null", "[modules]") {
  const ShuffledNull null = judge_against(1.5, {1.0, 2.0, 3.0, 4.0});
  CHECK(null.mean == Approx(2.5));
  CHECK(null.deviation == Approx(std::sqrt(5.0 / 3)));
  CHECK(null.z == Approx(-1 / std::sqrt(5.0 / 3)));
  CHECK(null.p == Approx(2.0 / 5));
}

TEST_CASE("shuffled weights: random weights look like their shuffles, planted ones do not",
          "[modules]") {
  constexpr std::size_t kNetworks = 6;
  const nn::Topology topology = topology_of(12, {20, 20}, 12);
  double sum = 0;
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    const nn::Mlp<float> network = nn::initialise_he<float>(topology, seed);
    const SpectralOptions options{.clusters = 4, .restarts = 25, .seed = seed, .threads = 2};
    const auto clustering = spectral_modules(WeightGraph(network), options);
    REQUIRE(clustering);
    const auto null = compare_with_shuffles(network, clustering->ncut, options, 50, seed);
    REQUIRE(null);
    sum += null->z;
  }
  // A mean of six z-scores, each against a null of 50: three standard errors.
  CHECK(std::abs(sum / kNetworks) < 3 * std::sqrt((1 + 1.0 / 50) / kNetworks));
  const nn::Mlp<float> network = planted(topology, 4, 0.05F, 1);
  const SpectralOptions options{.clusters = 4, .restarts = 25, .seed = 1, .threads = 2};
  const auto clustering = spectral_modules(WeightGraph(network), options);
  REQUIRE(clustering);
  const auto null = compare_with_shuffles(network, clustering->ncut, options, 50, 1);
  REQUIRE(null);
  CHECK(null->z < -5);
  CHECK(null->p == Approx(1.0 / 51));
}

}  // namespace interpscale::modules
