// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/lesion.hpp"

#include <algorithm>
#include <span>

#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/data/fit.hpp"
#include "interpscale/modules/shuffled_weights.hpp"
#include "interpscale/nn/loss.hpp"
#include "interpscale/nn/passes.hpp"

namespace interpscale::modules {
namespace {

constexpr std::size_t kChunk = 1024;
/// Streams of random sets: one a set and layer.
constexpr std::uint64_t kSetStream = std::uint64_t{1} << 46;
constexpr std::uint64_t kMostLayers = std::uint64_t{1} << 12;

/// The sum of losses of what stands at the tape's output.
class SummedLoss {
 public:
  explicit SummedLoss(const nn::Topology& topology, std::size_t capacity)
      : losses_(capacity), gradient_(capacity, topology.outputs) {}

  double operator()(const nn::Tape<float>& tape, std::span<const std::uint32_t> labels,
                    const kernels::Context<float>& context) {
    const double mean =
        nn::loss_and_gradient<float>(nn::Loss::kCrossEntropy, tape.output(), {.labels = labels},
                                     std::span(losses_).first(labels.size()),
                                     gradient_.view().rows_from(0, labels.size()), context);
    return mean * static_cast<double>(labels.size());
  }

 private:
  std::vector<float> losses_;
  Matrix<float> gradient_;
};

void set_column(MatrixView<float> values, std::size_t column, std::span<const float> wanted) {
  for (std::size_t s = 0; s < values.rows(); ++s) {
    values(s, column) = wanted[s];
  }
}

}  // namespace

std::vector<double> ablation_effects(const nn::Mlp<float>& network, const HiddenUnits& units,
                                     const data::Dataset& dataset,
                                     const kernels::Context<float>& context) {
  const std::size_t hidden = network.topology.hidden.size();
  const std::size_t examples = dataset.inputs.rows();
  require(units.size() == hidden && dataset.labels.size() == examples && examples > 0,
          "ablation: not one list of units a hidden layer, or no labels");
  const std::size_t capacity = std::min(kChunk, examples);
  nn::Tape<float> tape(network.topology, capacity);
  SummedLoss summed(network.topology, capacity);
  const std::vector<float> zeros(capacity);
  std::vector<float> own(capacity);
  std::vector<double> effects(count_units(units));
  for (std::size_t first = 0; first < examples; first += capacity) {
    const std::size_t rows = std::min(capacity, examples - first);
    const std::span labels = std::span(dataset.labels).subspan(first, rows);
    nn::forward<float>(network, dataset.inputs.view().rows_from(first, rows), tape, context);
    const double whole = summed(tape, labels, context);
    // The last layer first: a restart writes over the layers behind it alone.
    std::size_t end = effects.size();
    for (std::size_t l = hidden; l-- > 0;) {
      const std::size_t begin = end - units[l].size();
      const MatrixView<float> activation = tape.activation(l);
      for (std::size_t u = 0; u < units[l].size(); ++u) {
        const std::uint32_t unit = units[l][u];
        for (std::size_t s = 0; s < rows; ++s) {
          own[s] = activation(s, unit);
        }
        set_column(activation, unit, zeros);
        nn::forward_from<float>(network, l, tape, context);
        effects[begin + u] +=
            (summed(tape, labels, context) - whole) / static_cast<double>(examples);
        set_column(activation, unit, own);
      }
      end = begin;
    }
  }
  return effects;
}

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
