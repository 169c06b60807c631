// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/fit_surrogate.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "interpscale/core/require.hpp"
#include "interpscale/data/fit.hpp"
#include "modules/fitted_stages.hpp"
#include "modules/layer_samples.hpp"
#include "modules/reduced_rank.hpp"

namespace interpscale::modules {
namespace {

using kernels::Activation;

Matrix<float> pre_activations(const nn::DenseLayer<float>& dense, MatrixView<const float> x,
                              const kernels::Context<float>& context) {
  Matrix<float> z(x.rows(), dense.weights.rows());
  context.backend.gemm(kernels::GemmCase::kNT, x, dense.weights, z, {.bias = dense.bias}, context);
  return z;
}

/// Mean and standard deviation of a column.
std::pair<double, double> moments_of_column(MatrixView<const float> values, std::size_t column) {
  const auto count = static_cast<double>(values.rows());
  double sum = 0;
  for (std::size_t s = 0; s < values.rows(); ++s) {
    sum += static_cast<double>(values(s, column));
  }
  double squares = 0;
  for (std::size_t s = 0; s < values.rows(); ++s) {
    squares += std::pow(static_cast<double>(values(s, column)) - sum / count, 2);
  }
  return {sum / count, std::sqrt(squares / count)};
}

/// Starts the student where the linear map of as many directions ends: hidden units are the leading
/// directions of least squares, of unit variance and kShift above their mean, where a ReLU is
/// nearly the identity; the read-out is the least squares of what they are then. Units beyond the
/// targets' number stay as they were drawn.
void start_at_least_squares(const data::Dataset& examples, const SurrogateOptions& options,
                            const kernels::Context<float>& context, nn::Mlp<float>& student) {
  constexpr double kShift = 2;
  const MatrixView<const float> x = examples.inputs;
  const nn::DenseLayer<float> directions =
      reduced_rank_regression(x, examples.targets, options.size, options.ridge, context)[0].dense;
  const Matrix<float> projections = pre_activations(directions, x, context);
  nn::DenseLayer<float>& hidden = student.layers[0];
  for (std::size_t j = 0; j < std::min(options.size, projections.cols()); ++j) {
    const auto [mean, deviation] = moments_of_column(projections, j);
    if (!(deviation > 0)) {
      continue;
    }
    for (std::size_t i = 0; i < x.cols(); ++i) {
      hidden.weights(j, i) =
          static_cast<float>(static_cast<double>(directions.weights(j, i)) / deviation);
    }
    hidden.bias[j] =
        static_cast<float>((static_cast<double>(directions.bias[j]) - mean) / deviation + kShift);
  }
  Matrix<float> activations = pre_activations(hidden, x, context);
  context.backend.activate(student.topology.activation, activations, activations, context);
  student.layers[1] = reduced_rank_regression(activations, examples.targets,
                                              examples.targets.cols(), options.ridge, context)[0]
                          .dense;
}

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
  start_at_least_squares(examples, options, context, student);
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

}  // namespace

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
