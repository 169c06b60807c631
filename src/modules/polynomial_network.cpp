// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/polynomial_network.hpp"

#include <cmath>

#include "interpscale/core/random.hpp"
#include "interpscale/data/fit.hpp"
#include "interpscale/data/polynomial.hpp"

namespace interpscale::modules {
namespace {

constexpr std::uint64_t kTrainStream = 0;
constexpr std::uint64_t kTestStream = 1;

}  // namespace

nn::Mlp<float> initialise_glorot(const nn::Topology& topology, std::uint64_t seed) {
  nn::Mlp<float> network{topology, nn::zero_layers<float>(topology)};
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    Matrix<float>& weights = network.layers[l].weights;
    const double bound = std::sqrt(6.0 / static_cast<double>(weights.rows() + weights.cols()));
    const RandomStream stream(seed, l);
    std::uint64_t index = 0;
    for (std::size_t i = 0; i < weights.rows(); ++i) {
      for (float& weight : weights.row(i)) {
        weight = static_cast<float>(bound * (2 * stream.uniform(index++) - 1));
      }
    }
  }
  return network;
}

PolynomialNetwork train_polynomial_network(const PolynomialOptions& options,
                                           const kernels::Backend<float>& backend,
                                           const std::function<void(double)>& progress) {
  const nn::Topology topology{.inputs = 2,
                              .hidden = std::vector<std::size_t>(options.depth, options.width),
                              .outputs = data::kPolynomials,
                              .activation = kernels::Activation::kRelu};
  PolynomialNetwork result;
  result.network = options.initial == InitialWeights::kGlorotUniform
                       ? initialise_glorot(topology, options.seed)
                       : nn::initialise_he<float>(topology, options.seed);
  const data::Dataset train = data::polynomial_task(options.samples, options.seed, kTrainStream);
  const data::FitOptions fit{.epochs = options.epochs,
                             .batch = options.batch,
                             .peak_rate = options.rate,
                             .schedule = data::Schedule::kConstant,
                             .seed = options.seed};
  data::FitCallback callback;
  if (progress) {
    callback = [&](const data::FitProgress& at) {
      progress(static_cast<double>(at.step) / static_cast<double>(at.steps));
      return true;
    };
  }
  result.train_mse = data::train(result.network, train, fit, backend, callback).last_epoch_loss;
  Workspace workspace;
  const kernels::Context<float> context(backend, 1, workspace);
  result.test_mse =
      data::evaluate(result.network,
                     data::polynomial_task(options.test_samples, options.seed, kTestStream),
                     context)
          .loss;
  return result;
}

}  // namespace interpscale::modules
