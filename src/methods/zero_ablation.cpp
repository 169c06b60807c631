// The effect of a neuron by taking it away: the mean change of the loss when its activation is
// zero.
//
// A naive loop repeats the whole forward pass for every neuron. The fast variant keeps the prefix,
// skips (sample, neuron) pairs in which a ReLU is at zero already, reaches the next layer by a
// rank-one update, and stacks the rest of the network for many pairs into one product a layer.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "interpscale/nn/passes.hpp"
#include "methods/engine/metric.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"
#include "methods/engine/suffix_sweep.hpp"

namespace interpscale::methods {

MethodSpec zero_ablation();

namespace {

using engine::layer_rows;
using kernels::Activation;
using kernels::Context;
using kernels::Flops;

/// Rows of a suffix tile: enough for a matrix product, few enough for the second-level cache. 256
/// and 1024 were up to 1 % faster and 4 % slower at widths 64 to 512 (AMD EPYC, 1 MiB a core).
constexpr std::size_t kTileRows = 512;

Metric metric_of(const MethodOptions& options) {
  return engine::resolved(options.metric, Metric::kLoss);
}

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  const Metric metric = metric_of(probe.options);
  const nn::Topology& topology = probe.network.topology;
  const std::size_t batch = probe.inputs.rows();
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<double> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      double sum = 0.0;
      for (std::size_t b = 0; b < batch; ++b) {
        const auto x = probe.inputs.row(b);
        const auto whole = engine::plain_forward(probe.network, x);
        const auto ablated =
            engine::plain_forward(probe.network, x, engine::PlainPatch{layer, j, 0.0});
        sum += engine::plain_metric(metric, ablated.logits, probe.labels[b]) -
               engine::plain_metric(metric, whole.logits, probe.labels[b]);
      }
      rows(j, 0) = sum / static_cast<double>(batch);
    }
  }
}

/// A ReLU at zero stays as it is; other non-linearities reach zero by accident only.
bool skips_inactive(Activation phi) {
  return phi == Activation::kRelu;
}

std::uint64_t pairs_of(const Problem& problem, std::size_t layer) {
  if (problem.active_pairs.empty() || !skips_inactive(problem.topology.activation)) {
    return std::uint64_t{problem.batch} * problem.topology.hidden[layer];
  }
  return problem.active_pairs[layer];
}

/// Collects pairs of one layer into tiles, sends them through the suffix and adds up the effects.
class LayerAblation {
 public:
  LayerAblation(const Probe<float>& probe, std::size_t layer, MatrixView<const float> next,
                std::span<const float> unchanged, const Context<float>& context)
      : probe_(probe),
        context_(context),
        metric_(metric_of(probe.options)),
        unchanged_(unchanged),
        sweep_(probe.network, layer, next, kTileRows, context),
        sample_(context.workspace.vector<std::uint32_t>(kTileRows)),
        unit_(context.workspace.vector<std::uint32_t>(kTileRows)),
        label_(context.workspace.vector<std::uint32_t>(kTileRows)),
        delta_(context.workspace.vector<float>(kTileRows)),
        changed_(context.workspace.vector<float>(kTileRows)),
        sums_(context.workspace.vector<double>(probe.network.topology.hidden[layer])) {
    std::fill(sums_.begin(), sums_.end(), 0.0);
  }

  /// sums[j] of (metric with unit j at zero) - metric, over the samples.
  std::span<const double> run(MatrixView<const float> h, bool skip_inactive) {
    for (std::size_t b = 0; b < h.rows(); ++b) {
      const std::span<const float> row = h.row(b);
      for (std::size_t j = 0; j < row.size(); ++j) {
        if (skip_inactive && !(row[j] > 0.0F)) {
          continue;
        }
        sample_[rows_] = static_cast<std::uint32_t>(b);
        unit_[rows_] = static_cast<std::uint32_t>(j);
        label_[rows_] = probe_.labels[b];
        delta_[rows_] = -row[j];
        if (++rows_ == kTileRows) {
          flush();
        }
      }
    }
    flush();
    return sums_;
  }

  [[nodiscard]] static std::uint64_t scratch_bytes(const nn::Topology& topology,
                                                   std::size_t layer) {
    return engine::SuffixSweep::scratch_bytes(topology, layer, kTileRows) +
           3 * engine::vector_bytes<std::uint32_t>(kTileRows) +
           2 * engine::vector_bytes<float>(kTileRows) +
           engine::vector_bytes<double>(topology.hidden[layer]);
  }

 private:
  void flush() {
    if (rows_ == 0) {
      return;
    }
    const MatrixView<const float> logits =
        sweep_.logits({sample_.first(rows_), unit_.first(rows_), delta_.first(rows_)});
    engine::measure_rows(metric_, logits, label_.first(rows_), changed_.first(rows_), context_);
    for (std::size_t r = 0; r < rows_; ++r) {
      sums_[unit_[r]] +=
          static_cast<double>(changed_[r]) - static_cast<double>(unchanged_[sample_[r]]);
    }
    rows_ = 0;
  }

  const Probe<float>& probe_;
  const Context<float>& context_;
  Metric metric_;
  std::span<const float> unchanged_;  // the metric of each sample, [B]
  engine::SuffixSweep sweep_;
  std::span<std::uint32_t> sample_;
  std::span<std::uint32_t> unit_;
  std::span<std::uint32_t> label_;
  std::span<float> delta_;
  std::span<float> changed_;
  std::span<double> sums_;
  std::size_t rows_ = 0;
};

/// A forward pass that keeps z_2 ... z_L: where suffixes start from.
void forward_keeping(const Probe<float>& probe, const engine::LayerStack& z,
                     const engine::LayerStack& h, const Context<float>& context) {
  const nn::Mlp<float>& network = probe.network;
  engine::forward_layer(network, 0, probe.inputs, h[0], context);
  for (std::size_t layer = 1; layer < network.topology.hidden.size(); ++layer) {
    const nn::DenseLayer<float>& dense = network.layers[layer];
    context.backend.gemm(kernels::GemmCase::kNT, h[layer - 1], dense.weights, z[layer],
                         kernels::Epilogue<float>{.bias = dense.bias}, context);
    context.backend.activate(network.topology.activation, z[layer], h[layer], context);
  }
  engine::forward_readout(network, h[network.topology.hidden.size() - 1], probe.tape.output(),
                          context);
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t hidden = topology.hidden.size();
  const std::size_t batch = probe.inputs.rows();
  const Workspace::Scope scope(context.workspace);
  probe.tape.batch = batch;
  const engine::LayerStack h(probe.tape, context.workspace);
  const engine::LayerStack z(topology, batch, context.workspace);
  forward_keeping(probe, z, h, context);
  const std::span<float> unchanged = context.workspace.vector<float>(batch);
  engine::measure_rows(metric_of(probe.options), probe.tape.output(), probe.labels, unchanged,
                       context);
  for (std::size_t layer = 0; layer < hidden; ++layer) {
    const Workspace::Scope layer_scope(context.workspace);
    const MatrixView<const float> next = layer + 1 < hidden ? z[layer + 1] : probe.tape.output();
    LayerAblation ablation(probe, layer, next, unchanged, context);
    const std::span<const double> sums =
        ablation.run(h[layer], skips_inactive(topology.activation));
    const MatrixView<float> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < sums.size(); ++j) {
      rows(j, 0) = static_cast<float>(sums[j] / static_cast<double>(batch));
    }
  }
}

void run_naive(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Mlp<float>& network = probe.network;
  const std::size_t hidden = network.topology.hidden.size();
  const std::size_t batch = probe.inputs.rows();
  const Metric metric = metric_of(probe.options);
  const Workspace::Scope scope(context.workspace);
  const std::span<float> unchanged = context.workspace.vector<float>(batch);
  const std::span<float> changed = context.workspace.vector<float>(batch);
  nn::forward(network, probe.inputs, probe.tape, context);
  const engine::LayerStack h(probe.tape, context.workspace);
  engine::measure_rows(metric, probe.tape.output(), probe.labels, unchanged, context);
  for (std::size_t layer = 0; layer < hidden; ++layer) {
    const MatrixView<float> rows = layer_rows(out, network.topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      engine::forward_layers(network, 0, layer + 1, probe.inputs, h, context);
      for (std::size_t b = 0; b < batch; ++b) {
        h[layer](b, j) = 0.0F;
      }
      nn::forward_from(network, layer, probe.tape, context);
      engine::measure_rows(metric, probe.tape.output(), probe.labels, changed, context);
      double sum = 0.0;
      for (std::size_t b = 0; b < batch; ++b) {
        sum += static_cast<double>(changed[b]) - static_cast<double>(unchanged[b]);
      }
      rows(j, 0) = static_cast<float>(sum / static_cast<double>(batch));
    }
  }
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const Metric metric = metric_of(problem.options);
  Flops flops = nn::forward_flops(topology, problem.batch) +
                engine::measure_rows_flops(metric, problem.batch, topology.outputs);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const std::uint64_t pairs = pairs_of(problem, layer);
    flops += engine::SuffixSweep::flops(topology, layer, pairs) +
             engine::measure_rows_flops(metric, pairs, topology.outputs);
  }
  return {flops, engine::floor_bytes(problem, 1)};
}

Cost cost_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const Flops pass =
      nn::forward_flops(topology, problem.batch) +
      engine::measure_rows_flops(metric_of(problem.options), problem.batch, topology.outputs);
  return {(topology.neurons() + 1) * pass, engine::floor_bytes(problem, 1)};
}

std::uint64_t workspace_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  std::uint64_t layers = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    layers = std::max(layers, LayerAblation::scratch_bytes(topology, layer));
  }
  return engine::LayerStack::tape_bytes(topology) +
         engine::LayerStack::bytes(topology, problem.batch) +
         engine::vector_bytes<float>(problem.batch) + layers;
}

std::uint64_t workspace_naive(const Problem& problem) {
  return engine::LayerStack::tape_bytes(problem.topology) +
         2 * engine::vector_bytes<float>(problem.batch);
}

/// Two metrics are subtracted. A loss moves by at most twice the largest error of a logit, and its
/// own sum over C classes rounds relative to log C and twice the largest logit: the error scales
/// with the logits, however small the effect is.
double rounding_of_effect(const nn::Topology& topology, double output_scale, double roundoff) {
  const double largest_loss = 2.0 * output_scale + std::log(static_cast<double>(topology.outputs));
  const double of_logits = 2.0 * output_scale * engine::forward_rounding(topology, roundoff);
  const double of_sum =
      largest_loss * engine::gamma(topology.outputs + engine::kAroundAProduct, roundoff);
  return 2.0 * (of_logits + of_sum);
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return rounding_of_effect(problem.topology, problem.output_scale, engine::kFloatRoundoff) +
         engine::forward_rounding(problem.topology, engine::kFloatRoundoff) *
             engine::largest_magnitude(reference_values);
}

/// The largest |logit| of the batch, in double.
double output_scale_of(const Probe<double>& probe) {
  double scale = 0.0;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    for (const double y : engine::plain_forward(probe.network, probe.inputs.row(b)).logits) {
      scale = std::fmax(scale, std::abs(y));
    }
  }
  return scale;
}

/// A neuron that is zero on the whole batch changes nothing by being zero.
Identity::Verdict dead_neurons(const Probe<double>& probe, const Context<double>&,
                               MatrixView<const double> values, double) {
  std::vector<bool> dead(values.rows(), true);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    std::size_t row = 0;
    for (const auto& layer : engine::plain_forward(probe.network, probe.inputs.row(b)).h) {
      for (const double h : layer) {
        dead[row] = dead[row] && h == 0.0;
        ++row;
      }
    }
  }
  Identity::Verdict verdict;
  for (std::size_t row = 0; row < values.rows(); ++row) {
    verdict.deviation = std::fmax(verdict.deviation, dead[row] ? std::abs(values(row, 0)) : 0.0);
  }
  return verdict;
}

/// In the last hidden layer the ablated logits are y - h_j W_(:, j): no pass is needed.
Identity::Verdict last_layer(const Probe<double>& probe, const Context<double>&,
                             MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t last = topology.hidden.size() - 1;
  const Metric metric = metric_of(probe.options);
  const nn::DenseLayer<double>& readout = probe.network.layers.back();
  const auto batch = static_cast<double>(probe.inputs.rows());
  const MatrixView<const double> rows = layer_rows(values, topology, last);
  std::vector<double> effects(rows.rows(), 0.0);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    const double unchanged = engine::plain_metric(metric, trace.logits, probe.labels[b]);
    for (std::size_t j = 0; j < effects.size(); ++j) {
      std::vector<double> logits = trace.logits;
      for (std::size_t c = 0; c < logits.size(); ++c) {
        logits[c] -= trace.h[last][j] * readout.weights(c, j);
      }
      effects[j] += (engine::plain_metric(metric, logits, probe.labels[b]) - unchanged) / batch;
    }
  }
  Identity::Verdict verdict;
  double largest = 0.0;
  for (std::size_t j = 0; j < effects.size(); ++j) {
    verdict.deviation = std::fmax(verdict.deviation, std::abs(effects[j] - rows(j, 0)));
    largest = std::fmax(largest, std::abs(effects[j]));
  }
  verdict.allowed = rounding_of_effect(topology, output_scale_of(probe), epsilon) +
                    engine::forward_rounding(topology, epsilon) * largest;
  return verdict;
}

}  // namespace

MethodSpec zero_ablation() {
  return {
      .name = "zero_ablation",
      .summary = "mean change of the loss (or of F) when a neuron is set to zero",
      .formula = "mean_b (loss(h_j := 0) - loss)",
      .source =
          "Morcos et al., On the importance of single directions for generalization, ICLR "
          "2018",
      .columns = Columns::kScore,
      .statistics = {},
      .column_count = [](const Problem&) { return std::size_t{1}; },
      .reference = reference,
      .variants = {{.name = "naive",
                    .summary = "a whole forward pass for every neuron",
                    .exponents = {.parameters = 1, .neurons = 1, .batch = 1, .inputs = 0},
                    .cost = cost_naive,
                    .workspace_bytes = workspace_naive,
                    .run = run_naive},
                   {.name = "fast",
                    .summary = "active (sample, neuron) pairs only; rank-one update of the next "
                               "pre-activation, later layers stacked into matrix products",
                    .exponents = {.parameters = 1, .neurons = 1, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"a neuron that is zero on every sample has no effect", dead_neurons},
                     {"last hidden layer: the metric of y - h_j W_j minus the metric of y",
                      last_layer}},
  };
}

}  // namespace interpscale::methods
