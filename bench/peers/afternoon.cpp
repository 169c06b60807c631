// SPDX-License-Identifier: Apache-2.0
#include "bench/peers/afternoon.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace interpscale::bench::peers {

using kernels::GemmCase;

AfternoonTrainer::AfternoonTrainer(const TrainingProblem& problem, Product multiply)
    : problem_(problem),
      multiply_(std::move(multiply)),
      gradients_(nn::zero_layers<float>(problem.network.topology)) {
  for (std::size_t layer = 0; layer < gradients_.size(); ++layer) {
    const std::size_t width = problem.network.topology.fan_out(layer);
    outputs_.emplace_back(problem.inputs.rows(), width);
    deltas_.emplace_back(problem.inputs.rows(), width);
  }
}

void AfternoonTrainer::step() {
  forward();
  output_gradient();
  backward();
  update();
}

void AfternoonTrainer::forward() {
  for (std::size_t layer = 0; layer < outputs_.size(); ++layer) {
    const MatrixView<const float> below =
        layer == 0 ? problem_.inputs : MatrixView<const float>(outputs_[layer - 1]);
    const nn::DenseLayer<float>& dense = problem_.network.layers[layer];
    const MatrixView<float> out = outputs_[layer];
    multiply_({GemmCase::kNT, below, dense.weights, out});
    const bool hidden = layer + 1 < outputs_.size();
    const float* bias = dense.bias.data();
    for (std::size_t b = 0; b < out.rows(); ++b) {
      float* row = out.row_data(b);
      if (hidden) {
        for (std::size_t j = 0; j < out.cols(); ++j) {
          row[j] = std::max(row[j] + bias[j], 0.0F);
        }
      } else {
        for (std::size_t j = 0; j < out.cols(); ++j) {
          row[j] += bias[j];
        }
      }
    }
  }
}

void AfternoonTrainer::output_gradient() {
  const MatrixView<const float> logits = outputs_.back();
  const float scale = 1.0F / static_cast<float>(logits.rows());
  for (std::size_t b = 0; b < logits.rows(); ++b) {
    const std::span<const float> row = logits.row(b);
    const std::span<float> out = deltas_.back().row(b);
    const float largest = *std::max_element(row.begin(), row.end());
    float sum = 0.0F;
    for (std::size_t c = 0; c < row.size(); ++c) {
      out[c] = std::exp(row[c] - largest);
      sum += out[c];
    }
    const float factor = scale / sum;
    for (float& value : out) {
      value *= factor;
    }
    out[problem_.labels[b]] -= scale;
  }
}

void AfternoonTrainer::backward() {
  for (std::size_t layer = deltas_.size(); layer-- > 0;) {
    const MatrixView<const float> below =
        layer == 0 ? problem_.inputs : MatrixView<const float>(outputs_[layer - 1]);
    const MatrixView<const float> delta = deltas_[layer];
    multiply_({GemmCase::kTN, delta, below, gradients_[layer].weights});
    AlignedVector<float>& bias = gradients_[layer].bias;
    std::fill(bias.begin(), bias.end(), 0.0F);
    for (std::size_t b = 0; b < delta.rows(); ++b) {
      const float* row = delta.row_data(b);
      for (std::size_t j = 0; j < bias.size(); ++j) {
        bias[j] += row[j];
      }
    }
    if (layer == 0) {
      return;
    }
    const MatrixView<float> delta_below = deltas_[layer - 1];
    multiply_({GemmCase::kNN, delta, problem_.network.layers[layer].weights, delta_below});
    for (std::size_t b = 0; b < below.rows(); ++b) {
      const float* h = below.row_data(b);
      float* row = delta_below.row_data(b);
      for (std::size_t j = 0; j < below.cols(); ++j) {
        row[j] = h[j] > 0.0F ? row[j] : 0.0F;
      }
    }
  }
}

void AfternoonTrainer::update() {
  const float rate = problem_.rate;
  for (std::size_t layer = 0; layer < gradients_.size(); ++layer) {
    nn::DenseLayer<float>& dense = problem_.network.layers[layer];
    const std::span<const float> weight_gradient = gradients_[layer].weights.padded();
    float* weights = dense.weights.padded().data();
    for (std::size_t i = 0; i < weight_gradient.size(); ++i) {
      weights[i] -= rate * weight_gradient[i];
    }
    for (std::size_t j = 0; j < dense.bias.size(); ++j) {
      dense.bias[j] -= rate * gradients_[layer].bias[j];
    }
  }
}

}  // namespace interpscale::bench::peers
