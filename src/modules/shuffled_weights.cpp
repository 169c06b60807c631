// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/shuffled_weights.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <utility>

#include "interpscale/core/parallel.hpp"
#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"

namespace interpscale::modules {
namespace {

/// Streams of the shuffles: one a network and layer.
constexpr std::uint64_t kShuffleStream = std::uint64_t{1} << 45;
constexpr std::uint64_t kMostLayers = std::uint64_t{1} << 12;

}  // namespace

nn::Mlp<float> shuffled(const nn::Mlp<float>& network, std::uint64_t seed, std::uint64_t index) {
  require(network.layers.size() < kMostLayers, "shuffle: too many layers");
  nn::Mlp<float> result = network;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const Matrix<float>& from = network.layers[l].weights;
    Matrix<float>& to = result.layers[l].weights;
    const std::size_t cols = from.cols();
    const std::vector<std::size_t> order =
        RandomStream(seed, kShuffleStream + index * kMostLayers + l)
            .permutation(checked_product(from.rows(), cols));
    for (std::size_t e = 0; e < order.size(); ++e) {
      to(e / cols, e % cols) = from(order[e] / cols, order[e] % cols);
    }
  }
  return result;
}

ShuffledNull judge_against(double ncut, std::vector<double> ncuts) {
  require(ncuts.size() >= 2, "a null of fewer than two shuffles");
  const auto count = static_cast<double>(ncuts.size());
  ShuffledNull null;
  null.mean = std::accumulate(ncuts.begin(), ncuts.end(), 0.0) / count;
  double squares = 0;
  for (const double value : ncuts) {
    squares += (value - null.mean) * (value - null.mean);
  }
  null.deviation = std::sqrt(squares / (count - 1));
  null.z = null.deviation > 0 ? (ncut - null.mean) / null.deviation : 0.0;
  const auto as_small = std::ranges::count_if(ncuts, [&](double value) { return value <= ncut; });
  null.p = (static_cast<double>(as_small) + 1) / (count + 1);
  null.ncuts = std::move(ncuts);
  return null;
}

Result<ShuffledNull> compare_with_shuffles(const nn::Mlp<float>& network, double ncut,
                                           const SpectralOptions& options, std::size_t shuffles,
                                           std::uint64_t seed, const std::function<void()>& done) {
  std::vector<Result<double>> found(shuffles, 0.0);
  std::mutex mutex;
  SpectralOptions each = options;
  each.threads = 1;
  parallel_for(options.threads, shuffles, [&](std::size_t i) {
    const WeightGraph graph(shuffled(network, seed, i));
    found[i] = spectral_modules(graph, each).map([](const Clustering& c) { return c.ncut; });
    if (done) {
      const std::lock_guard lock(mutex);
      done();
    }
  });
  std::vector<double> ncuts;
  for (const Result<double>& value : found) {
    if (!value) {
      return tl::unexpected(value.error());
    }
    ncuts.push_back(*value);
  }
  return judge_against(ncut, std::move(ncuts));
}

}  // namespace interpscale::modules
