// The network of the published study of clusterability on sums of monomials, trained as there:
// 2-256-256-256-256-512, ReLU, Adam, squared error, batches of 128, 20 epochs of 60,000 samples.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "interpscale/kernels/backend.hpp"
#include "interpscale/nn/mlp.hpp"

namespace interpscale::modules {

/// What the initial weights are drawn from; biases are 0.
enum class InitialWeights {
  kGlorotUniform,  ///< uniform within sqrt(6 / (in + out)): Glorot & Bengio 2010
  kHeNormal,       ///< N(0, 2 / in): He et al. 2015
};

struct PolynomialOptions {
  std::size_t width = 256;
  std::size_t depth = 4;
  std::size_t samples = 60000;
  std::size_t test_samples = 10000;
  std::size_t epochs = 20;
  std::size_t batch = 128;
  double rate = 1e-3;  ///< Adam's, constant
  /// The study's framework draws from this by default.
  InitialWeights initial = InitialWeights::kGlorotUniform;
  std::uint64_t seed = 0;  ///< of weights, samples and their order
};

struct PolynomialNetwork {
  nn::Mlp<float> network;
  double train_mse = 0;  ///< mean over the last epoch's steps
  double test_mse = 0;   ///< mean over outputs and fresh samples
};

[[nodiscard]] nn::Mlp<float> initialise_glorot(const nn::Topology& topology, std::uint64_t seed);

/// One thread. `progress` (may be empty) is told the share of steps done.
[[nodiscard]] PolynomialNetwork train_polynomial_network(
    const PolynomialOptions& options, const kernels::Backend<float>& backend,
    const std::function<void(double)>& progress = {});

}  // namespace interpscale::modules
