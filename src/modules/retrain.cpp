// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/retrain.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "interpscale/core/require.hpp"
#include "interpscale/data/batches.hpp"
#include "interpscale/data/fit.hpp"
#include "modules/layer_samples.hpp"

namespace interpscale::modules {
namespace {

using kernels::Activation;
using kernels::Context;
using kernels::Epilogue;
using kernels::GemmCase;

/// Values of the surrogate's map over rows of the layer below.
Matrix<float> outputs_of(const UnitMap& map, MatrixView<const float> below, Activation phi,
                         const Context<float>& context) {
  Matrix<float> values;
  MatrixView<const float> in = below;
  for (const Stage& stage : map.stages) {
    Matrix<float> out(below.rows(), stage.dense.weights.rows());
    context.backend.gemm(GemmCase::kNT, in, stage.dense.weights, out,
                         Epilogue<float>{.bias = stage.dense.bias}, context);
    if (stage.activated) {
      context.backend.activate(phi, out, out, context);
    }
    values = std::move(out);
    in = values;
  }
  return values;
}

/// Adam on one activated dense layer under squared error.
class LayerTraining {
 public:
  LayerTraining(nn::DenseLayer<float>& layer, Activation phi, std::size_t batch)
      : layer_(layer),
        phi_(phi),
        outputs_(batch, layer.weights.rows()),
        slopes_(batch, layer.weights.rows()),
        gradient_(like(layer)),
        first_(like(layer)),
        second_(like(layer)),
        losses_(batch) {}

  void step(MatrixView<const float> inputs, MatrixView<const float> targets, double rate,
            const Context<float>& context) {
    const std::size_t rows = inputs.rows();
    const MatrixView<float> h = outputs_.view().rows_from(0, rows);
    const MatrixView<float> dz = slopes_.view().rows_from(0, rows);
    context.backend.gemm(GemmCase::kNT, inputs, layer_.weights, h,
                         Epilogue<float>{.bias = layer_.bias}, context);
    context.backend.activate(phi_, h, h, context);
    context.backend.squared_error_gradient(h, targets, 1.0F / static_cast<float>(rows),
                                           std::span(losses_).first(rows), dz, context);
    context.backend.multiply_by_slope(phi_, h, dz, context);
    context.backend.gemm(GemmCase::kTN, dz, inputs, gradient_.weights, {}, context);
    context.backend.column_sums(dz, 0.0F, gradient_.bias, context);
    const nn::OptimizerOptions usual;
    const kernels::AdamStep<float> adam{static_cast<float>(rate), static_cast<float>(usual.beta1),
                                        static_cast<float>(usual.beta2),
                                        static_cast<float>(usual.epsilon), ++steps_};
    context.backend.adam_step(adam, gradient_.weights.padded(), first_.weights.padded(),
                              second_.weights.padded(), layer_.weights.padded(), context);
    context.backend.adam_step(adam, gradient_.bias, first_.bias, second_.bias, layer_.bias,
                              context);
  }

 private:
  static nn::DenseLayer<float> like(const nn::DenseLayer<float>& layer) {
    return {Matrix<float>(layer.weights.rows(), layer.weights.cols()),
            AlignedVector<float>(layer.bias.size())};
  }

  nn::DenseLayer<float>& layer_;
  Activation phi_;
  Matrix<float> outputs_;
  Matrix<float> slopes_;
  nn::DenseLayer<float> gradient_;
  nn::DenseLayer<float> first_;
  nn::DenseLayer<float> second_;
  AlignedVector<float> losses_;
  std::uint64_t steps_ = 0;
};

void train_map(UnitMap& own, const UnitMap& toward, Matrix<float> below, Activation phi,
               const RetrainOptions& options, const Context<float>& context) {
  data::Dataset examples;
  examples.targets = outputs_of(toward, below, phi, context);
  examples.inputs = std::move(below);
  const std::size_t capacity = std::min(options.batch, examples.inputs.rows());
  data::Batches batches(examples, capacity, options.seed);
  LayerTraining training(own.stages.front().dense, phi, capacity);
  data::FitOptions schedule;
  schedule.peak_rate = options.rate;
  const std::size_t steps = options.epochs * batches.per_epoch();
  data::Batch batch;
  for (std::size_t s = 0; s < steps; ++s) {
    const std::size_t rows = batches.fill(s / batches.per_epoch(), s % batches.per_epoch(), batch);
    training.step(batch.inputs.view().rows_from(0, rows), batch.targets.view().rows_from(0, rows),
                  data::learning_rate(schedule, s, steps), context);
  }
}

}  // namespace

Surrogate retrain_toward(const nn::Mlp<float>& network, const Surrogate& surrogate,
                         const data::Dataset& dataset, const RetrainOptions& options,
                         const Context<float>& context) {
  const SplicedNetwork whole(network, {});
  HiddenUnits module(network.topology.hidden.size());
  for (const UnitMap& map : surrogate) {
    require(map.layer < module.size(), "retraining: a surrogate of another network");
    module[map.layer] = map.units;
  }
  Surrogate retrained = own_shape(network, module);
  for (UnitMap& own : retrained) {
    const auto toward =
        std::ranges::find_if(surrogate, [&](const UnitMap& map) { return map.layer == own.layer; });
    train_map(own, *toward, layer_samples(network, own, dataset, whole, context).below,
              network.topology.activation, options, context);
  }
  return retrained;
}

}  // namespace interpscale::modules
