// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/fit_surrogate.hpp"

#include <utility>

#include "interpscale/core/require.hpp"
#include "interpscale/data/fit.hpp"
#include "modules/layer_samples.hpp"
#include "modules/reduced_rank.hpp"

namespace interpscale::modules {
namespace {

using kernels::Activation;

/// A network of one hidden layer, trained on the samples; its read-out is clipped at 0 where the
/// neurons it stands for are.
std::vector<Stage> distilled(LayerSamples samples, Activation phi, const SurrogateOptions& options,
                             const kernels::Context<float>& context) {
  context.backend.activate(phi, samples.z, samples.z, context);
  data::Dataset examples;
  examples.inputs = std::move(samples.below);
  examples.targets = std::move(samples.z);
  nn::Mlp<float> student = nn::initialise_he<float>({.inputs = examples.inputs.cols(),
                                                     .hidden = {options.size},
                                                     .outputs = examples.targets.cols(),
                                                     .activation = phi},
                                                    options.seed);
  data::train(student, examples,
              {.epochs = options.epochs,
               .batch = options.batch,
               .peak_rate = options.rate,
               .seed = options.seed,
               .threads = context.threads},
              context.backend);
  return {{std::move(student.layers[0]), true},
          {std::move(student.layers[1]), phi == Activation::kRelu}};
}

std::vector<Stage> fitted_stages(LayerSamples samples, Activation phi,
                                 const SurrogateOptions& options,
                                 const kernels::Context<float>& context) {
  if (options.kind == SurrogateKind::kMlp) {
    return distilled(std::move(samples), phi, options, context);
  }
  if (options.kind == SurrogateKind::kLinear) {
    context.backend.activate(phi, samples.z, samples.z, context);
  }
  std::vector<Stage> stages =
      reduced_rank_regression(samples.below, samples.z, options.size, options.ridge, context);
  stages.back().activated = options.kind == SurrogateKind::kLowRankRelu;
  return stages;
}

}  // namespace

std::string_view name_of(SurrogateKind kind) {
  switch (kind) {
    case SurrogateKind::kLinear:
      return "linear";
    case SurrogateKind::kLowRankRelu:
      return "low_rank_relu";
    case SurrogateKind::kMlp:
      return "mlp";
  }
  return "unknown";
}

Surrogate fit_surrogate(const nn::Mlp<float>& network, const HiddenUnits& module,
                        const data::Dataset& dataset, const SplicedNetwork& reads,
                        const SurrogateOptions& options, const kernels::Context<float>& context) {
  require(options.size > 0 && dataset.inputs.rows() > 0, "surrogate: no size or no samples");
  Surrogate surrogate = own_shape(network, module);
  for (UnitMap& map : surrogate) {
    map.stages = fitted_stages(layer_samples(network, map, dataset, reads, context),
                               network.topology.activation, options, context);
  }
  return surrogate;
}

Surrogate fit_surrogate(const nn::Mlp<float>& network, const HiddenUnits& module,
                        const data::Dataset& dataset, const SurrogateOptions& options,
                        const kernels::Context<float>& context) {
  return fit_surrogate(network, module, dataset, SplicedNetwork(network, {}), options, context);
}

}  // namespace interpscale::modules
