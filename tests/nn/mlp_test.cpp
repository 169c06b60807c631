// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/mlp.hpp"

#include <bit>
#include <cmath>

#include "nn/problem.hpp"
#include "support/catch.hpp"

namespace interpscale::nn {
namespace {

/// FNV-1a over the bits of all weights, then biases, layer by layer.
std::uint64_t hash_of(const Mlp<float>& network) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto add = [&](float value) {
    for (std::uint32_t bits = std::bit_cast<std::uint32_t>(value), k = 0; k < 4; ++k) {
      hash = (hash ^ (bits >> (8 * k) & 0xffU)) * 0x100000001b3U;
    }
  };
  for (const DenseLayer<float>& layer : network.layers) {
    for (std::size_t j = 0; j < layer.weights.rows(); ++j) {
      for (const float weight : layer.weights.row(j)) {
        add(weight);
      }
    }
    for (const float bias : layer.bias) {
      add(bias);
    }
  }
  return hash;
}

const Topology kSmall{5, {7, 4}, 3, kernels::Activation::kRelu};

TEST_CASE("initialise_he: a seed gives the same bits on any machine", "[nn]") {
  CHECK(hash_of(initialise_he<float>(kSmall, 7, 0.1)) == 0x6c442c446f3d3cd8U);
  CHECK(hash_of(initialise_he<float>(kSmall, 8, 0.1)) != 0x6c442c446f3d3cd8U);
}

TEST_CASE("initialise_he: weights have variance 2 / fan_in, biases the stated deviation", "[nn]") {
  const Topology topology{200, {300}, 100, kernels::Activation::kRelu};
  const Mlp<double> network = initialise_he<double>(topology, 3, 0.25);
  for (std::size_t l = 0; l < 2; ++l) {
    const Matrix<double>& weights = network.layers[l].weights;
    double squares = 0.0;
    for (std::size_t j = 0; j < weights.rows(); ++j) {
      for (const double weight : weights.row(j)) {
        squares += weight * weight;
      }
    }
    const auto count = static_cast<double>(weights.rows() * weights.cols());
    const double expected = 2.0 / static_cast<double>(weights.cols());
    // A variance estimated from `count` normal values deviates by sqrt(2 / count) of itself.
    CHECK(std::abs(squares / count - expected) < 5.0 * std::sqrt(2.0 / count) * expected);
    double bias_squares = 0.0;
    for (const double bias : network.layers[l].bias) {
      bias_squares += bias * bias;
    }
    const auto biases = static_cast<double>(weights.rows());
    CHECK(std::abs(bias_squares / biases - 0.0625) < 5.0 * std::sqrt(2.0 / biases) * 0.0625);
  }
  CHECK(initialise_he<double>(kSmall, 3).layers[0].bias == AlignedVector<double>(7, 0.0));
}

TEST_CASE("convert: another precision, the same network", "[nn]") {
  const Mlp<double> exact = initialise_he<double>(kSmall, 5, 0.1);
  const Mlp<float> rounded = convert<float>(exact);
  CHECK(hash_of(rounded) == hash_of(initialise_he<float>(kSmall, 5, 0.1)));
  CHECK(hash_of(convert<float>(convert<double>(rounded))) == hash_of(rounded));
  CHECK(rounded.topology == kSmall);
}

}  // namespace
}  // namespace interpscale::nn
