// An MLP's parameters.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "interpscale/core/aligned_vector.hpp"
#include "interpscale/core/matrix.hpp"
#include "interpscale/nn/topology.hpp"

namespace interpscale::nn {

/// z = W h + b. Also the shape of its gradients and of an optimizer's moments.
template <class T>
struct DenseLayer {
  Matrix<T> weights;      ///< [out, in]
  AlignedVector<T> bias;  ///< [out]
};

/// One DenseLayer of zeros for every layer of the topology.
template <class T>
[[nodiscard]] std::vector<DenseLayer<T>> zero_layers(const Topology& topology);

template <class T>
struct Mlp {
  Topology topology;
  std::vector<DenseLayer<T>> layers;  ///< L + 1, first hidden layer first
};

/// He et al. 2015: weights N(0, 2 / fan_in), from stream `layer` of the seed; biases
/// N(0, bias_deviation^2). The same seed gives the same network on any machine.
template <class T>
[[nodiscard]] Mlp<T> initialise_he(const Topology& topology, std::uint64_t seed,
                                   double bias_deviation = 0.0);

/// The same network in another precision.
template <class To, class From>
[[nodiscard]] Mlp<To> convert(const Mlp<From>& network);

}  // namespace interpscale::nn
