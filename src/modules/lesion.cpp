// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/lesion.hpp"

#include <algorithm>

#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/data/fit.hpp"
#include "interpscale/modules/shuffled_weights.hpp"

namespace interpscale::modules {
namespace {

/// Streams of random sets: one a set and layer.
constexpr std::uint64_t kSetStream = std::uint64_t{1} << 46;
constexpr std::uint64_t kMostLayers = std::uint64_t{1} << 12;

}  // namespace

nn::Mlp<float> ablated(const nn::Mlp<float>& network, const HiddenUnits& units) {
  require(units.size() == network.topology.hidden.size(),
          "ablation: not one list of units a hidden layer");
  nn::Mlp<float> result = network;
  for (std::size_t l = 0; l < units.size(); ++l) {
    Matrix<float>& outgoing = result.layers[l + 1].weights;
    for (const std::uint32_t unit : units[l]) {
      for (std::size_t i = 0; i < outgoing.rows(); ++i) {
        outgoing(i, unit) = 0.0F;
      }
    }
  }
  return result;
}

HiddenUnits random_units_like(const HiddenUnits& units, const nn::Topology& topology,
                              std::uint64_t seed, std::uint64_t index) {
  require(units.size() == topology.hidden.size() && units.size() < kMostLayers,
          "random units: not one list of units a hidden layer");
  HiddenUnits drawn(units.size());
  for (std::size_t l = 0; l < units.size(); ++l) {
    const std::vector<std::size_t> order =
        RandomStream(seed, kSetStream + index * kMostLayers + l).permutation(topology.hidden[l]);
    for (std::size_t i = 0; i < units[l].size(); ++i) {
      drawn[l].push_back(static_cast<std::uint32_t>(order[i]));
    }
    std::ranges::sort(drawn[l]);
  }
  return drawn;
}

Lesion lesion(const nn::Mlp<float>& network, double whole_loss, const HiddenUnits& units,
              const data::Dataset& dataset, std::size_t sets, std::uint64_t seed,
              const kernels::Context<float>& context) {
  const auto increase = [&](const HiddenUnits& set) {
    return data::evaluate(ablated(network, set), dataset, context).loss - whole_loss;
  };
  Lesion result;
  result.neurons = count_units(units);
  result.loss_increase = increase(units);
  std::vector<double> negative;
  for (std::size_t s = 0; s < sets; ++s) {
    const double loss = increase(random_units_like(units, network.topology, seed, s));
    result.random_losses.push_back(loss);
    negative.push_back(-loss);
  }
  // The same judgement as of n-cuts, with the sign turned: large is remarkable here.
  const ShuffledNull null = judge_against(-result.loss_increase, std::move(negative));
  result.z = -null.z;
  result.p = null.p;
  return result;
}

}  // namespace interpscale::modules
