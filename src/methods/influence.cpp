// How much one training step on a data set would change a sample's loss through each neuron: the
// inner products of the two loss gradients in the neuron's own incoming weights and bias.
//
// Row j, column b: the rate times the mean, over the samples b' of the data set, of
// <d loss_b / dtheta_j, d loss_b' / dtheta_j>, theta_j = (W_j, b_j). Positive: a step on the data
// set lowers the loss of b through j. The gradient is delta_j (a, 1), a the activations below, so
// that the product of two is delta_j delta'_j (a . a' + 1): per layer two small products, with no
// gradient ever written out. All of it at one checkpoint, the network as it stands.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec influence();

namespace {

using engine::layer_rows;
using engine::LayerStack;
using kernels::Context;
using kernels::Flops;

/// d loss / dz of one sample, [L][w_l], and the activations below each layer.
struct PlainFactors {
  std::vector<std::vector<double>> delta;
  std::vector<std::vector<double>> below;
};

PlainFactors plain_factors(const nn::Mlp<double>& network, std::span<const double> x,
                           std::uint32_t label) {
  const engine::PlainTrace trace = engine::plain_forward(network, x);
  PlainFactors factors{
      engine::plain_gradient(network, trace,
                             engine::plain_metric_gradient(Metric::kLoss, trace.logits, label)),
      {}};
  for (std::size_t layer = 0; layer < trace.h.size(); ++layer) {
    for (std::size_t j = 0; j < factors.delta[layer].size(); ++j) {
      factors.delta[layer][j] *=
          engine::plain_slope(network.topology.activation, trace.z[layer][j]);
    }
    factors.below.push_back(layer == 0 ? std::vector<double>(x.begin(), x.end())
                                       : trace.h[layer - 1]);
  }
  return factors;
}

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  const nn::Topology& topology = probe.network.topology;
  const MatrixView<const double> data = probe.streamed_inputs();
  const double scale = probe.options.rate / static_cast<double>(data.rows());
  std::vector<PlainFactors> theirs;
  for (std::size_t k = 0; k < data.rows(); ++k) {
    theirs.push_back(plain_factors(probe.network, data.row(k), probe.streamed_labels()[k]));
  }
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const PlainFactors ours = plain_factors(probe.network, probe.inputs.row(b), probe.labels[b]);
    for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
      const MatrixView<double> rows = layer_rows(out, topology, layer);
      for (std::size_t j = 0; j < rows.rows(); ++j) {
        // Gradients written out, weight by weight.
        double sum = 0.0;
        for (const PlainFactors& other : theirs) {
          sum += ours.delta[layer][j] * other.delta[layer][j];
          for (std::size_t i = 0; i < ours.below[layer].size(); ++i) {
            sum += (ours.delta[layer][j] * ours.below[layer][i]) *
                   (other.delta[layer][j] * other.below[layer][i]);
          }
        }
        rows(j, b) = scale * sum;
      }
    }
  }
}

/// delta[l] := d loss / dz_l of every row's own loss, for layers from the last to `lowest`; h :=
/// its activations.
void loss_deltas(const nn::Mlp<float>& network, MatrixView<const float> inputs,
                 std::span<const std::uint32_t> labels, std::size_t lowest, const LayerStack& h,
                 const LayerStack& delta, const Context<float>& context) {
  const nn::Topology& topology = network.topology;
  const std::size_t hidden = topology.hidden.size();
  engine::forward_layers(network, 0, hidden, inputs, h, context);
  engine::loss_rows(network, h[hidden - 1], labels, delta[hidden - 1], context);
  for (std::size_t layer = hidden; layer-- > lowest;) {
    context.backend.multiply_by_slope(topology.activation, h[layer], delta[layer], context);
    if (layer > lowest) {
      context.backend.gemm(kernels::GemmCase::kNN, delta[layer], network.layers[layer].weights,
                           delta[layer - 1], {}, context);
    }
  }
}

Flops loss_deltas_flops(const nn::Topology& topology, std::size_t lowest, std::size_t rows) {
  return engine::forward_layers_flops(topology, 0, topology.hidden.size(), rows) +
         engine::loss_rows_flops(topology, rows) +
         engine::target_gradients_flops(topology, lowest, rows) +
         kernels::multiply_by_slope_flops(topology.activation,
                                          std::uint64_t{rows} * topology.hidden[lowest]);
}

MatrixView<const float> below_of(MatrixView<const float> inputs, const LayerStack& h,
                                 std::size_t layer) {
  return layer == 0 ? inputs : MatrixView<const float>(h[layer - 1]);
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t hidden = topology.hidden.size();
  const std::size_t batch = probe.inputs.rows();
  const MatrixView<const float> data = probe.streamed_inputs();
  const std::span<const std::uint32_t> data_labels = probe.streamed_labels();
  const Workspace::Scope scope(context.workspace);
  const LayerStack h(topology, batch, context.workspace);
  const LayerStack delta(topology, batch, context.workspace);
  const LayerStack their_h(topology, batch, context.workspace);
  const LayerStack their_delta(topology, batch, context.workspace);
  const LayerStack sums(topology, batch, context.workspace);
  const MatrixView<float> kernel = context.workspace.matrix<float>(batch, batch);
  const std::span<float> ones = context.workspace.vector<float>(batch);
  std::fill(ones.begin(), ones.end(), 1.0F);
  const std::size_t lowest = engine::lowest_wanted(topology, probe.options);
  loss_deltas(probe.network, probe.inputs, probe.labels, lowest, h, delta, context);
  const float scale = static_cast<float>(probe.options.rate / static_cast<double>(data.rows()));
  for (std::size_t first = 0; first < data.rows(); first += batch) {
    const std::size_t count = std::min(batch, data.rows() - first);
    const MatrixView<const float> block = data.rows_from(first, count);
    const LayerStack block_h = their_h.window(0, count);
    const LayerStack block_delta = their_delta.window(0, count);
    loss_deltas(probe.network, block, data_labels.subspan(first, count), lowest, block_h,
                block_delta, context);
    const MatrixView<float> pairs = kernel.cols_from(0, count);
    for (std::size_t layer = lowest; layer < hidden; ++layer) {
      if (!engine::wanted(probe.options, layer)) {
        continue;
      }
      context.backend.gemm(kernels::GemmCase::kNT, below_of(probe.inputs, h, layer),
                           below_of(block, block_h, layer), pairs, {.bias = ones.first(count)},
                           context);
      context.backend.gemm(kernels::GemmCase::kNN, pairs, block_delta[layer], sums[layer],
                           {.alpha = scale, .beta = first == 0 ? 0.0F : 1.0F}, context);
    }
  }
  for (std::size_t layer = lowest; layer < hidden; ++layer) {
    if (!engine::wanted(probe.options, layer)) {
      continue;
    }
    context.backend.multiply(delta[layer], sums[layer], sums[layer], context);
    context.backend.transpose(sums[layer], layer_rows(out, topology, layer), context);
  }
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t batch = problem.batch;
  const std::size_t data = problem.streamed_samples();
  const float scale = static_cast<float>(problem.options.rate / static_cast<double>(data));
  const std::size_t lowest = engine::lowest_wanted(topology, problem.options);
  Flops flops = loss_deltas_flops(topology, lowest, batch) +
                kernels::multiply_flops(batch * engine::wanted_neurons(topology, problem.options));
  for (std::size_t first = 0; first < data; first += batch) {
    const std::size_t count = std::min(batch, data - first);
    flops += loss_deltas_flops(topology, lowest, count);
    for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
      if (!engine::wanted(problem.options, layer)) {
        continue;
      }
      flops += kernels::gemm_flops({batch, count, topology.fan_in(layer)}, {.biased = true}) +
               kernels::gemm_flops({batch, topology.hidden[layer], count},
                                   {.scaled = scale != 1.0F, .accumulated = first > 0});
    }
  }
  const std::uint64_t streamed = sizeof(float) * std::uint64_t{problem.dataset} * topology.inputs;
  return {flops, engine::floor_bytes(problem, batch) + streamed};
}

std::uint64_t workspace_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  return 5 * LayerStack::bytes(topology, problem.batch) +
         engine::matrix_bytes<float>(problem.batch, problem.batch) +
         engine::vector_bytes<float>(problem.batch) +
         engine::loss_rows_bytes(topology, problem.batch);
}

/// Two gradients of losses, each off by the passes' errors and by that of p - [c = t], which an
/// error of the logits moves by twice as much relative to 1 - p_t; the sums over a fan-in and the
/// data set.
double relative_rounding(const nn::Topology& topology, std::size_t data, double output_scale,
                         double roundoff) {
  const double forward = engine::forward_rounding(topology, roundoff);
  const std::size_t fan_in = std::max(topology.inputs, engine::widest_from(topology, 0));
  return 2.0 * (forward + engine::backward_rounding(topology, roundoff) +
                2.0 * output_scale * forward) +
         engine::kConditioning * engine::gamma(fan_in + data + 6, roundoff);
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return relative_rounding(problem.topology, problem.streamed_samples(), problem.output_scale,
                           engine::kFloatRoundoff) *
         engine::largest_magnitude(reference_values);
}

/// The mean over the data set stands on one side of every product: a row is the rate times the
/// inner product of the sample's gradient with the data set's mean gradient.
Identity::Verdict mean_gradient(const Probe<double>& probe, const Context<double>&,
                                MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const MatrixView<const double> data = probe.streamed_inputs();
  std::vector<Matrix<double>> mean;  // [w_l, fan_in + 1]
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    mean.emplace_back(topology.hidden[layer], topology.fan_in(layer) + 1);
  }
  const auto entry = [](const PlainFactors& of, std::size_t layer, std::size_t j, std::size_t i) {
    const std::vector<double>& below = of.below[layer];
    return of.delta[layer][j] * (i < below.size() ? below[i] : 1.0);
  };
  for (std::size_t k = 0; k < data.rows(); ++k) {
    const auto of = plain_factors(probe.network, data.row(k), probe.streamed_labels()[k]);
    for (std::size_t layer = 0; layer < mean.size(); ++layer) {
      for (std::size_t j = 0; j < mean[layer].rows(); ++j) {
        for (std::size_t i = 0; i < mean[layer].cols(); ++i) {
          mean[layer](j, i) += entry(of, layer, j, i) / static_cast<double>(data.rows());
        }
      }
    }
  }
  Identity::Verdict verdict;
  double output_scale = 0.0;
  double magnitude = engine::largest_magnitude(values);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const auto of = plain_factors(probe.network, probe.inputs.row(b), probe.labels[b]);
    for (const double y : engine::plain_forward(probe.network, probe.inputs.row(b)).logits) {
      output_scale = std::fmax(output_scale, std::abs(y));
    }
    std::size_t row = 0;
    for (std::size_t layer = 0; layer < mean.size(); ++layer) {
      for (std::size_t j = 0; j < mean[layer].rows(); ++j, ++row) {
        double sum = 0.0;
        double terms = 0.0;
        for (std::size_t i = 0; i < mean[layer].cols(); ++i) {
          const double term = probe.options.rate * mean[layer](j, i) * entry(of, layer, j, i);
          sum += term;
          terms += std::abs(term);
        }
        verdict.deviation = std::fmax(verdict.deviation, std::abs(sum - values(row, b)));
        magnitude = std::fmax(magnitude, terms);
      }
    }
  }
  verdict.allowed = magnitude * relative_rounding(topology, data.rows(), output_scale, epsilon);
  return verdict;
}

/// Where the batch is the data set, a row adds up to rate B times a squared norm.
Identity::Verdict self_influence(const Probe<double>& probe, const Context<double>&,
                                 MatrixView<const double> values, double epsilon) {
  if (!probe.dataset.empty()) {
    return {};
  }
  Identity::Verdict verdict;
  double magnitude = 0.0;
  for (std::size_t row = 0; row < values.rows(); ++row) {
    double sum = 0.0;
    double terms = 0.0;
    for (const double value : values.row(row)) {
      sum += value;
      terms += std::abs(value);
    }
    verdict.deviation = std::fmax(verdict.deviation, -sum);
    magnitude = std::fmax(magnitude, terms);
  }
  double output_scale = 0.0;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    for (const double y : engine::plain_forward(probe.network, probe.inputs.row(b)).logits) {
      output_scale = std::fmax(output_scale, std::abs(y));
    }
  }
  verdict.allowed =
      magnitude * relative_rounding(probe.network.topology, values.cols(), output_scale, epsilon);
  return verdict;
}

}  // namespace

MethodSpec influence() {
  return {
      .name = "influence",
      .summary =
          "what a training step on the data set would take off a sample's loss through "
          "every neuron",
      .formula =
          "eta mean_b' <dloss_b/dtheta_j, dloss_b'/dtheta_j>, theta_j = (W_j, b_j), "
          "b' in the data set",
      .source =
          "Pruthi et al., Estimating training data influence by tracing gradient descent, "
          "NeurIPS 2020",
      .columns = Columns::kSamples,
      .statistics = {},
      .column_count = [](const Problem& problem) { return problem.batch; },
      .reference = reference,
      .variants = {{.name = "fast",
                    .summary = "one forward and one backward pass, and per layer two products of "
                               "pairs, (a . a' + 1) and its product with delta'",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"the rate times the inner product with the data set's mean gradient",
                      mean_gradient},
                     {"self-influence: where the batch is the data set, no row adds up to less "
                      "than 0",
                      self_influence}},
  };
}

}  // namespace interpscale::methods
