// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/circuit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "methods/engine/plain.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {
namespace {

double log_sum_exp(std::span<const double> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (const double y : logits) {
    sum += std::exp(y - largest);
  }
  return largest + std::log(sum);
}

/// Sums that are taken side by side, each in the reference's order: one after another, each would
/// wait four cycles for every addition.
constexpr std::size_t kSideBySide = 8;

std::size_t widest_layer(const nn::Topology& topology) {
  return std::max({topology.inputs, widest_from(topology, 0), topology.outputs});
}

}  // namespace

double divergence(std::span<const double> original, std::span<const double> pruned) {
  const double log_original = log_sum_exp(original);
  const double log_pruned = log_sum_exp(pruned);
  double sum = 0.0;
  for (std::size_t c = 0; c < original.size(); ++c) {
    const double log_p = original[c] - log_original;
    sum += std::exp(log_p) * (log_p - (pruned[c] - log_pruned));
  }
  return sum;
}

Circuit::Circuit(const Probe<float>& probe, const kernels::Context<float>& context)
    : probe_(probe),
      context_(context),
      weights_(context.workspace.vector<MatrixView<float>>(probe.network.topology.layers())),
      below_(context.workspace.vector<MatrixView<double>>(probe.network.topology.layers())),
      log_probability_(
          context.workspace.matrix<double>(probe.inputs.rows(), probe.network.topology.outputs)),
      probability_(
          context.workspace.matrix<double>(probe.inputs.rows(), probe.network.topology.outputs)),
      above_(context.workspace.matrix<double>(probe.inputs.rows(),
                                              widest_layer(probe.network.topology))),
      unit_values_(context.workspace.vector<double>(probe.inputs.rows())),
      targets_(
          context.workspace.matrix<float>(probe.inputs.rows(), probe.network.topology.outputs)),
      first_(context.workspace.vector<double>(widest_layer(probe.network.topology))),
      second_(context.workspace.vector<double>(widest_layer(probe.network.topology))),
      losses_(context.workspace.vector<float>(probe.inputs.rows())),
      magnitudes_(context.workspace.vector<float>(probe.inputs.rows())),
      rounding_(forward_rounding(probe.network.topology, kFloatRoundoff)) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t batch = probe.inputs.rows();
  for (std::size_t layer = 0; layer < topology.layers(); ++layer) {
    const MatrixView<const float> weights = probe.network.layers[layer].weights;
    weights_[layer] = context.workspace.matrix<float>(weights.rows(), weights.cols());
    below_[layer] = context.workspace.matrix<double>(batch, weights.cols());
    copy(weights, weights_[layer]);
  }
  const std::size_t readout = topology.hidden.size();
  for (std::size_t b = 0; b < batch; ++b) {
    std::ranges::copy(probe.inputs.row(b), below_[0].row_data(b));
    for (std::size_t layer = 0; layer < readout; ++layer) {
      exact_layer(layer, below_[layer].row(b), below_[layer + 1].row(b));
    }
    const std::span<double> logits = first_.first(topology.outputs);
    exact_layer(readout, below_[readout].row(b), logits);
    const double normaliser = log_sum_exp(logits);
    for (std::size_t c = 0; c < logits.size(); ++c) {
      log_probability_(b, c) = logits[c] - normaliser;
      probability_(b, c) = std::exp(log_probability_(b, c));
      targets_(b, c) = static_cast<float>(probability_(b, c));
      mean_log_ += probability_(b, c) * log_probability_(b, c) / static_cast<double>(batch);
    }
  }
}

void Circuit::exact_layer(std::size_t layer, std::span<const double> below,
                          std::span<double> h) const {
  const nn::Topology& topology = probe_.network.topology;
  const MatrixView<const float> weights = weights_[layer];
  const bool readout = layer == topology.hidden.size();
  for (std::size_t first = 0; first < weights.rows(); first += kSideBySide) {
    const std::size_t count = std::min(kSideBySide, weights.rows() - first);
    std::array<double, kSideBySide> z{};
    std::array<const float*, kSideBySide> rows{};
    for (std::size_t j = 0; j < kSideBySide; ++j) {
      const std::size_t unit = first + std::min(j, count - 1);
      z[j] = static_cast<double>(probe_.network.layers[layer].bias[unit]);
      rows[j] = weights.row_data(unit);
    }
    for (std::size_t i = 0; i < weights.cols(); ++i) {
      for (std::size_t j = 0; j < kSideBySide; ++j) {
        z[j] += static_cast<double>(rows[j][i]) * below[i];
      }
    }
    for (std::size_t j = 0; j < count; ++j) {
      h[first + j] = readout ? z[j] : plain_activation(topology.activation, z[j]);
    }
  }
}

void Circuit::exact_unit(std::span<double> values) const {
  const nn::Topology& topology = probe_.network.topology;
  const MatrixView<const double> below = below_[layer_];
  const std::span<const float> weights = weights_[layer_].row(unit_);
  const bool readout = layer_ == topology.hidden.size();
  for (std::size_t first = 0; first < below.rows(); first += kSideBySide) {
    const std::size_t count = std::min(kSideBySide, below.rows() - first);
    std::array<double, kSideBySide> z{};
    std::array<const double*, kSideBySide> rows{};
    for (std::size_t b = 0; b < kSideBySide; ++b) {
      z[b] = static_cast<double>(probe_.network.layers[layer_].bias[unit_]);
      rows[b] = below.row_data(first + std::min(b, count - 1));
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
      for (std::size_t b = 0; b < kSideBySide; ++b) {
        z[b] += static_cast<double>(weights[i]) * rows[b][i];
      }
    }
    for (std::size_t b = 0; b < count; ++b) {
      values[first + b] = readout ? z[b] : plain_activation(topology.activation, z[b]);
    }
  }
}

double Circuit::exact() {
  const nn::Topology& topology = probe_.network.topology;
  exact_unit(unit_values_);
  double sum = 0.0;
  for (std::size_t b = 0; b < probe_.inputs.rows(); ++b) {
    above_(b, unit_) = unit_values_[b];
    std::span<const double> h = above_.row(b).first(topology.fan_out(layer_));
    for (std::size_t layer = layer_ + 1; layer < topology.layers(); ++layer) {
      const std::span<double> next =
          (layer % 2 == 0 ? first_ : second_).first(topology.fan_out(layer));
      exact_layer(layer, h, next);
      h = next;
    }
    const double log_pruned = log_sum_exp(h);
    double of_sample = 0.0;
    for (std::size_t c = 0; c < h.size(); ++c) {
      of_sample += probability_(b, c) * (log_probability_(b, c) - (h[c] - log_pruned));
    }
    sum += of_sample;
  }
  return sum / static_cast<double>(probe_.inputs.rows());
}

// The divergence is the cross-entropy against the original's softmax, and mean_log_. It moves by
// sum |q - p| times the error of a logit, and by Pinsker's inequality that sum is at most
// sqrt(2 KL). Pre-activations are a product and as many rank-one updates as it has terms: two
// products' error. The kernel's own: a sum of C exponentials of rounded arguments; C products of a
// rounded probability and a difference of logits; its result.
Circuit::Estimate Circuit::estimate(MatrixView<const float> logits) {
  context_.backend.soft_cross_entropy(logits, targets_, losses_, magnitudes_, context_);
  constexpr std::size_t kSums = 4;  // side by side, as the exact ones are
  std::array<double, kSums> sums{};
  std::array<float, kSums> largest{};
  const std::size_t whole = losses_.size() / kSums * kSums;
  for (std::size_t b = 0; b < losses_.size(); b += kSums) {
    for (std::size_t i = 0; i < (b < whole ? kSums : losses_.size() - whole); ++i) {
      sums[i] += static_cast<double>(losses_[b + i]);
      largest[i] = std::max(largest[i], magnitudes_[b + i]);
    }
  }
  const double mean =
      std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(logits.rows());
  const double value = std::fmax(mean + mean_log_, 0.0);
  const auto scale = static_cast<double>(*std::ranges::max_element(largest));
  const double of_logit = 2.0 * scale * rounding_;
  const double largest_loss = 2.0 * scale + std::log(static_cast<double>(logits.cols()));
  const double of_kernel =
      gamma(logits.cols() + kAroundAProduct, kFloatRoundoff) * (1.0 + 2.0 * scale) +
      2.0 * kFloatRoundoff * largest_loss;
  return {value, of_logit * (std::sqrt(2.0 * (value + of_kernel)) + 2.0 * of_logit) + of_kernel};
}

void Circuit::enter(std::size_t layer) {
  layer_ = layer;
  unit_ = 0;
  for (std::size_t b = 0; b < above_.rows(); ++b) {
    exact_layer(layer, below_[layer].row(b), above_.row(b));
  }
}

void Circuit::leave_unit() {
  exact_unit(unit_values_);
  for (std::size_t b = 0; b < above_.rows(); ++b) {
    above_(b, unit_) = unit_values_[b];
  }
}

float Circuit::propose(std::size_t unit, std::size_t input) {
  if (unit != unit_) {
    leave_unit();
  }
  unit_ = unit;
  input_ = input;
  weight_ = weights_[layer_](unit, input);
  weights_[layer_](unit, input) = 0.0F;
  return weight_;
}

bool Circuit::decide(MatrixView<const float> logits) {
  ++decisions_;
  const double threshold = probe_.options.threshold;
  Estimate then = estimate(logits);
  bool removed = is_removed(then.value - now_.value, threshold);
  if (std::abs(then.value - now_.value - threshold) <= then.error + now_.error) {
    ++settled_;
    then = {exact(), 0.0};
    if (now_.error > 0.0) {
      weights_[layer_](unit_, input_) = weight_;
      now_ = {exact(), 0.0};
      weights_[layer_](unit_, input_) = 0.0F;
    }
    removed = is_removed(then.value - now_.value, threshold);
  }
  if (removed) {
    now_ = then;
  } else {
    weights_[layer_](unit_, input_) = weight_;
  }
  return removed;
}

kernels::Flops Circuit::decision_flops(const Problem& problem) {
  return kernels::soft_cross_entropy_flops(problem.batch, problem.topology.outputs);
}

std::uint64_t Circuit::scratch_bytes(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t widest = widest_layer(topology);
  std::uint64_t total = vector_bytes<MatrixView<float>>(topology.layers()) +
                        vector_bytes<MatrixView<double>>(topology.layers()) +
                        2 * matrix_bytes<double>(problem.batch, topology.outputs) +
                        matrix_bytes<float>(problem.batch, topology.outputs) +
                        matrix_bytes<double>(problem.batch, widest) +
                        vector_bytes<double>(problem.batch) + 2 * vector_bytes<double>(widest) +
                        2 * vector_bytes<float>(problem.batch);
  for (std::size_t layer = 0; layer < topology.layers(); ++layer) {
    total += matrix_bytes<float>(topology.fan_out(layer), topology.fan_in(layer)) +
             matrix_bytes<double>(problem.batch, topology.fan_in(layer));
  }
  return total;
}

}  // namespace interpscale::methods::engine
