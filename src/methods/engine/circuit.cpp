// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/circuit.hpp"

#include <algorithm>
#include <cmath>

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
      original_(
          context.workspace.matrix<double>(probe.inputs.rows(), probe.network.topology.outputs)),
      probability_(
          context.workspace.matrix<double>(probe.inputs.rows(), probe.network.topology.outputs)),
      below_(context.workspace.matrix<double>(probe.inputs.rows(),
                                              widest_layer(probe.network.topology))),
      entropy_(context.workspace.vector<double>(probe.inputs.rows())),
      first_(context.workspace.vector<double>(widest_layer(probe.network.topology))),
      second_(context.workspace.vector<double>(widest_layer(probe.network.topology))),
      losses_(context.workspace.vector<float>(probe.inputs.rows())) {
  const nn::Topology& topology = probe.network.topology;
  for (std::size_t layer = 0; layer < topology.layers(); ++layer) {
    const MatrixView<const float> weights = probe.network.layers[layer].weights;
    weights_[layer] = context.workspace.matrix<float>(weights.rows(), weights.cols());
    copy(weights, weights_[layer]);
  }
  enter(topology.layers() - 1);
  for (std::size_t b = 0; b < original_.rows(); ++b) {
    const std::span<const double> top = below_.row(b).first(topology.hidden.back());
    const std::span<double> logits = exact_layer(layer_, top, first_);
    std::copy(logits.begin(), logits.end(), original_.row_data(b));
    const double normaliser = log_sum_exp(logits);
    entropy_[b] = 0.0;
    for (std::size_t c = 0; c < logits.size(); ++c) {
      const double log_p = logits[c] - normaliser;
      probability_(b, c) = std::exp(log_p);
      entropy_[b] += probability_(b, c) * log_p;
    }
  }
}

void Circuit::enter(std::size_t layer) {
  layer_ = layer;
  for (std::size_t b = 0; b < below_.rows(); ++b) {
    const std::span<const float> x = probe_.inputs.row(b);
    std::span<double> h = first_.first(x.size());
    std::span<double> other = second_;
    std::copy(x.begin(), x.end(), h.begin());
    for (std::size_t l = 0; l < layer; ++l) {
      const std::span<double> above = exact_layer(l, h, other);
      other = l % 2 == 0 ? first_ : second_;
      h = above;
    }
    std::copy(h.begin(), h.end(), below_.row_data(b));
  }
}

std::span<double> Circuit::exact_layer(std::size_t layer, std::span<const double> below,
                                       std::span<double> h) const {
  const nn::Topology& topology = probe_.network.topology;
  const MatrixView<const float> weights = weights_[layer];
  const bool readout = layer == topology.hidden.size();
  for (std::size_t j = 0; j < weights.rows(); ++j) {
    double z = static_cast<double>(probe_.network.layers[layer].bias[j]);
    const std::span<const float> row = weights.row(j);
    for (std::size_t i = 0; i < row.size(); ++i) {
      z += static_cast<double>(row[i]) * below[i];
    }
    h[j] = readout ? z : plain_activation(topology.activation, z);
  }
  return h.first(weights.rows());
}

double Circuit::exact() const {
  double sum = 0.0;
  for (std::size_t b = 0; b < below_.rows(); ++b) {
    std::span<const double> h = below_.row(b).first(weights_[layer_].cols());
    for (std::size_t layer = layer_; layer < weights_.size(); ++layer) {
      h = exact_layer(layer, h, layer % 2 == 0 ? first_ : second_);
    }
    sum += divergence(original_.row(b), h);
  }
  return sum / static_cast<double>(below_.rows());
}

// -log softmax(y)[label] is a kernel's; the divergence is it + y[label] - sum p y + sum p log p. It
// moves by sum |q - p| times the error of a logit, and by Pinsker's inequality that sum is at most
// sqrt(2 KL). Pre-activations are a product and as many rank-one updates as it has terms: two
// products' error. The kernel's own: a sum of C exponentials of rounded arguments, and its result.
Circuit::Estimate Circuit::estimate(MatrixView<const float> logits) {
  context_.backend.cross_entropy(logits, probe_.labels, losses_, context_);
  double sum = 0.0;
  double scale = 0.0;
  for (std::size_t b = 0; b < logits.rows(); ++b) {
    const std::span<const float> row = logits.row(b);
    sum +=
        entropy_[b] + static_cast<double>(losses_[b]) + static_cast<double>(row[probe_.labels[b]]);
    for (std::size_t c = 0; c < row.size(); ++c) {
      sum -= probability_(b, c) * static_cast<double>(row[c]);
      scale = std::fmax(scale, std::abs(static_cast<double>(row[c])));
    }
  }
  const double value = std::fmax(sum / static_cast<double>(logits.rows()), 0.0);
  const double of_logit = 2.0 * scale * forward_rounding(probe_.network.topology, kFloatRoundoff);
  const double largest_loss = 2.0 * scale + std::log(static_cast<double>(logits.cols()));
  const double of_kernel =
      gamma(logits.cols() + kAroundAProduct, kFloatRoundoff) + 2.0 * kFloatRoundoff * largest_loss;
  return {value, of_logit * (std::sqrt(2.0 * (value + of_kernel)) + 2.0 * of_logit) + of_kernel};
}

float Circuit::propose(std::size_t unit, std::size_t input) {
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
  return kernels::cross_entropy_flops(problem.batch, problem.topology.outputs);
}

std::uint64_t Circuit::scratch_bytes(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t widest = widest_layer(topology);
  std::uint64_t total = vector_bytes<MatrixView<float>>(topology.layers()) +
                        2 * matrix_bytes<double>(problem.batch, topology.outputs) +
                        matrix_bytes<double>(problem.batch, widest) +
                        vector_bytes<double>(problem.batch) + 2 * vector_bytes<double>(widest) +
                        vector_bytes<float>(problem.batch);
  for (std::size_t layer = 0; layer < topology.layers(); ++layer) {
    total += matrix_bytes<float>(topology.fan_out(layer), topology.fan_in(layer));
  }
  return total;
}

}  // namespace interpscale::methods::engine
