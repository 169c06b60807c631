// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/mlp.hpp"

#include <algorithm>
#include <cmath>

#include "interpscale/core/random.hpp"

namespace interpscale::nn {

template <class T>
std::vector<DenseLayer<T>> zero_layers(const Topology& topology) {
  std::vector<DenseLayer<T>> layers(topology.layers());
  for (std::size_t l = 0; l < layers.size(); ++l) {
    layers[l].weights = Matrix<T>(topology.fan_out(l), topology.fan_in(l));
    layers[l].bias.resize(topology.fan_out(l));
  }
  return layers;
}

template <class T>
Mlp<T> initialise_he(const Topology& topology, std::uint64_t seed, double bias_deviation) {
  Mlp<T> network{topology, zero_layers<T>(topology)};
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const RandomStream stream(seed, l);
    DenseLayer<T>& layer = network.layers[l];
    const double deviation = std::sqrt(2.0 / static_cast<double>(layer.weights.cols()));
    std::uint64_t index = 0;
    for (std::size_t j = 0; j < layer.weights.rows(); ++j) {
      for (T& weight : layer.weights.row(j)) {
        weight = static_cast<T>(deviation * stream.normal(index++));
      }
    }
    for (T& bias : layer.bias) {
      bias = static_cast<T>(bias_deviation * stream.normal(index++));
    }
  }
  return network;
}

template <class To, class From>
Mlp<To> convert(const Mlp<From>& network) {
  Mlp<To> converted{network.topology, zero_layers<To>(network.topology)};
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const DenseLayer<From>& from = network.layers[l];
    DenseLayer<To>& to = converted.layers[l];
    copy(from.weights.view(), to.weights.view());
    std::transform(from.bias.begin(), from.bias.end(), to.bias.begin(),
                   [](From value) { return static_cast<To>(value); });
  }
  return converted;
}

template std::vector<DenseLayer<float>> zero_layers<float>(const Topology&);
template std::vector<DenseLayer<double>> zero_layers<double>(const Topology&);
template Mlp<float> initialise_he<float>(const Topology&, std::uint64_t, double);
template Mlp<double> initialise_he<double>(const Topology&, std::uint64_t, double);
template Mlp<float> convert<float, float>(const Mlp<float>&);
template Mlp<float> convert<float, double>(const Mlp<double>&);
template Mlp<double> convert<double, float>(const Mlp<float>&);
template Mlp<double> convert<double, double>(const Mlp<double>&);

}  // namespace interpscale::nn
