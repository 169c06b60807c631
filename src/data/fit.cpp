// SPDX-License-Identifier: Apache-2.0
#include "interpscale/data/fit.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "interpscale/data/batches.hpp"
#include "interpscale/nn/loss.hpp"
#include "interpscale/nn/passes.hpp"
#include "interpscale/nn/training_step.hpp"

namespace interpscale::data {
namespace {

constexpr std::size_t kEvaluationChunk = 1024;

nn::Loss loss_of(const Dataset& dataset) {
  return dataset.labels.empty() ? nn::Loss::kMeanSquaredError : nn::Loss::kCrossEntropy;
}

void require_fits(const nn::Mlp<float>& network, const Dataset& dataset) {
  require(dataset.inputs.rows() > 0, "the data set is empty");
  require(dataset.inputs.cols() == network.topology.inputs,
          "the data set's inputs are not the network's");
  require(dataset.labels.empty() ? dataset.targets.cols() == network.topology.outputs
                                 : dataset.classes <= network.topology.outputs,
          "the data set's outputs are not the network's");
}

/// The first `rows` of a batch, as targets.
nn::Targets<float> targets_of(const Batch& batch, std::size_t rows) {
  if (batch.labels.empty()) {
    return {.values = batch.targets.view().rows_from(0, rows)};
  }
  return {.labels = std::span(batch.labels).first(rows)};
}

}  // namespace

double learning_rate(const FitOptions& options, std::size_t step, std::size_t steps) {
  require(step < steps, "learning rate of a step beyond the last");
  if (options.schedule == Schedule::kConstant) {
    return options.peak_rate;
  }
  const double warmup = std::round(options.warmup_fraction * static_cast<double>(steps));
  const auto now = static_cast<double>(step);
  if (now < warmup) {
    return options.peak_rate * (now + 1.0) / warmup;
  }
  const double share = (now - warmup) / (static_cast<double>(steps) - warmup);
  return options.peak_rate * 0.5 * (1.0 + std::cos(std::numbers::pi * share));
}

FitResult train(nn::Mlp<float>& network, const Dataset& dataset, const FitOptions& options,
                const kernels::Backend<float>& backend, const FitCallback& progress) {
  require_fits(network, dataset);
  require(options.warmup_fraction >= 0.0 && options.warmup_fraction <= 1.0,
          "the warm-up's share of the steps is outside [0, 1]");
  Workspace workspace;
  const kernels::Context<float> context(backend, options.threads, workspace);
  const std::size_t capacity = std::min(options.batch, dataset.inputs.rows());
  Batches batches(dataset, capacity, options.seed);
  nn::TrainingStep<float> step(network.topology, capacity, loss_of(dataset), options.optimizer);
  const std::size_t steps = checked_product(options.epochs, batches.per_epoch());
  FitResult result;
  Batch batch;
  for (std::size_t epoch = 0; epoch < options.epochs; ++epoch) {
    double loss_sum = 0.0;
    for (std::size_t index = 0; index < batches.per_epoch(); ++index) {
      const std::size_t rows = batches.fill(epoch, index, batch);
      const double rate = learning_rate(options, result.steps, steps);
      const double loss = step.run(network, batch.inputs.view().rows_from(0, rows),
                                   targets_of(batch, rows), rate, context);
      if (result.steps == 0) {
        result.first_loss = loss;
      }
      ++result.steps;
      loss_sum += loss;
      result.last_epoch_loss = loss_sum / static_cast<double>(index + 1);
      if (progress && !progress({epoch, result.steps, steps, loss, rate})) {
        return result;
      }
    }
  }
  return result;
}

Evaluation evaluate(const nn::Mlp<float>& network, const Dataset& dataset,
                    const kernels::Context<float>& context) {
  require_fits(network, dataset);
  const std::size_t examples = dataset.inputs.rows();
  const std::size_t capacity = std::min(kEvaluationChunk, examples);
  const nn::Loss loss = loss_of(dataset);
  nn::Tape<float> tape(network.topology, capacity);
  std::vector<float> losses(capacity);
  Matrix<float> gradient(capacity, network.topology.outputs);
  Evaluation total;
  for (std::size_t first = 0; first < examples; first += capacity) {
    const std::size_t rows = std::min(capacity, examples - first);
    nn::forward<float>(network, dataset.inputs.view().rows_from(first, rows), tape, context);
    const MatrixView<const float> outputs = tape.output();
    nn::Targets<float> targets;
    if (loss == nn::Loss::kCrossEntropy) {
      targets.labels = std::span(dataset.labels).subspan(first, rows);
    } else {
      targets.values = dataset.targets.view().rows_from(first, rows);
    }
    const auto weight = static_cast<double>(rows);
    total.loss +=
        weight * nn::loss_and_gradient(loss, outputs, targets, std::span(losses).first(rows),
                                       gradient.view().rows_from(0, rows), context);
    if (loss == nn::Loss::kCrossEntropy) {
      total.accuracy += weight * nn::accuracy(outputs, targets.labels);
    }
  }
  total.loss /= static_cast<double>(examples);
  total.accuracy /= static_cast<double>(examples);
  return total;
}

}  // namespace interpscale::data
