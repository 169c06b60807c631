// What two neurons do together that they do not do one by one: the change of the loss when both are
// at zero, less the change for each alone.
//
// Interactions are symmetric: every pair is computed once, from the neuron in the later layer, or
// in one layer the one with the higher index. For each neuron the fast variant restarts its suffix
// once and keeps the pre-activations; the second neuron is then one more rank-one update and a
// shorter suffix, many at a time. Samples on which the first neuron (or, in one layer, either) is
// inactive have nothing to tell, and are skipped.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "interpscale/nn/passes.hpp"
#include "methods/engine/metric.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/replacement.hpp"
#include "methods/engine/restart.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"
#include "methods/engine/suffix_tile.hpp"

namespace interpscale::methods {

MethodSpec pairwise_ablation();

namespace {

using engine::first_row;
using kernels::Activation;
using kernels::Context;
using kernels::Flops;

constexpr engine::Replacement kAlone{engine::With::kZero, Metric::kLoss};

Metric metric_of(const MethodOptions& options) {
  return engine::resolved(options.metric, kAlone.fallback);
}

/// The read-out is linear: for F, neurons of the last hidden layer do not interact.
bool is_linear(const nn::Topology& topology, Metric metric, std::size_t layer) {
  return metric == Metric::kTarget && layer + 1 == topology.hidden.size();
}

/// metric(both at zero) - metric(first) - metric(second) + metric, for one sample.
void add_sample(const Probe<double>& probe, std::size_t b, MatrixView<double> out) {
  const nn::Topology& topology = probe.network.topology;
  const Metric metric = metric_of(probe.options);
  const auto measure = [&](const std::vector<double>& logits) {
    return engine::plain_metric(metric, logits, probe.labels[b]);
  };
  const auto weight = 1.0 / static_cast<double>(probe.inputs.rows());
  const double whole = measure(engine::plain_forward(probe.network, probe.inputs.row(b)).logits);
  std::vector<engine::PlainTrace> without;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    for (std::size_t j = 0; j < topology.hidden[layer]; ++j) {
      without.push_back(engine::plain_forward(probe.network, probe.inputs.row(b),
                                              engine::PlainPatch{layer, j, 0.0}));
    }
  }
  for (std::size_t first = 0; first < without.size(); ++first) {
    for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
      for (std::size_t j = 0; j < topology.hidden[layer]; ++j) {
        const std::size_t second = first_row(topology, layer) + j;
        if (second < first) {
          continue;
        }
        std::vector<double> h = without[first].h[layer];
        h[j] = 0.0;
        const double both = measure(engine::plain_logits_from(probe.network, layer, h));
        const double interaction = weight * (both - measure(without[first].logits) -
                                             measure(without[second].logits) + whole);
        out(first, second) += interaction;
        out(second, first) = out(first, second);
      }
    }
  }
}

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  for (std::size_t row = 0; row < out.rows(); ++row) {
    std::fill(out.row(row).begin(), out.row(row).end(), 0.0);
  }
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    add_sample(probe, b, out);
  }
}

/// Sums over samples of the interactions of one restarted neuron with the units of its own layer
/// before it, and with all units of later layers: sums [n]. alone [n, B]: what each of these does
/// by itself.
void add_interactions(const engine::Restart& first, std::size_t layer, std::size_t unit,
                      MatrixView<const float> own, const nn::Topology& topology, Metric metric,
                      MatrixView<const float> alone, engine::SuffixTile& tile,
                      std::span<double> sums) {
  const bool skip_inactive = topology.activation == Activation::kRelu;
  for (std::size_t second = layer; second < topology.hidden.size(); ++second) {
    const bool same = second == layer;
    if (same && is_linear(topology, metric, layer)) {
      continue;
    }
    const std::size_t before = first_row(topology, second);
    const auto add = [&](std::uint32_t row, std::uint32_t j, float both) {
      sums[before + j] += static_cast<double>(both) - static_cast<double>(first.metric(row)) -
                          static_cast<double>(alone(before + j, first.sample(row)));
    };
    tile.restart(second, first.next(second));
    for (std::size_t row = 0; row < first.rows(); ++row) {
      const std::span<const float> h = same ? own.row(first.sample(row)) : first.h(second).row(row);
      for (std::size_t j = 0; j < (same ? unit : h.size()); ++j) {
        if (same && skip_inactive && !(h[j] > 0.0F)) {
          continue;
        }
        tile.add({static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(j), first.label(row),
                  -h[j]},
                 add);
      }
    }
    tile.flush(add);
  }
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t batch = probe.inputs.rows();
  const Metric metric = metric_of(probe.options);
  const Workspace::Scope scope(context.workspace);
  probe.tape.batch = batch;
  const engine::LayerStack h(probe.tape, context.workspace);
  const engine::LayerStack z(topology, batch, context.workspace);
  engine::forward_keeping(probe.network, probe.inputs, z, h, probe.tape.output(), context);
  const auto whole = context.workspace.vector<float>(batch);
  engine::measure_rows(metric, probe.tape.output(), probe.labels, whole, context);
  const auto alone = context.workspace.matrix<float>(out.rows(), batch);
  const auto sums = context.workspace.vector<double>(out.rows());
  engine::SuffixSweep sweep(probe.network, 0, topology.hidden.size(), context);
  engine::SuffixTile tile(sweep, metric, context);
  engine::Restart first(probe, metric, context);
  for (std::size_t layer = topology.hidden.size(); layer-- > 0;) {
    const bool last = layer + 1 == topology.hidden.size();
    const MatrixView<const float> next = last ? probe.tape.output() : z[layer + 1];
    for (std::size_t unit = 0; unit < topology.hidden[layer]; ++unit) {
      const std::size_t row = first_row(topology, layer) + unit;
      std::fill(alone.row(row).begin(), alone.row(row).end(), 0.0F);
      std::fill(sums.begin(), sums.end(), 0.0);
      first.run(layer, unit, h[layer], next, sweep.columns(layer));
      for (std::size_t r = 0; r < first.rows(); ++r) {
        alone(row, first.sample(r)) = first.metric(r) - whole[first.sample(r)];
        sums[row] -= static_cast<double>(alone(row, first.sample(r)));
      }
      add_interactions(first, layer, unit, h[layer], topology, metric, alone, tile, sums);
      const std::size_t later = first_row(topology, layer) + topology.hidden[layer];
      for (std::size_t other = first_row(topology, layer); other < out.rows(); ++other) {
        if (other <= row || other >= later) {
          out(row, other) = static_cast<float>(sums[other] / static_cast<double>(batch));
          out(other, row) = out(row, other);
        }
      }
    }
  }
}

/// The mean change of the metric with neurons (layer, i) and (second, j) at zero, second >= layer,
/// by a whole pass.
double pass_without(const Probe<float>& probe, const engine::LayerStack& h,
                    std::array<std::size_t, 2> first, std::array<std::size_t, 2> second,
                    std::span<const float> whole, std::span<float> changed,
                    const Context<float>& context) {
  const std::size_t batch = probe.inputs.rows();
  const auto silence = [&](const std::array<std::size_t, 2>& neuron) {
    for (std::size_t b = 0; b < batch; ++b) {
      h[neuron[0]](b, neuron[1]) = 0.0F;
    }
  };
  engine::forward_layers(probe.network, 0, first[0] + 1, probe.inputs, h, context);
  silence(first);
  engine::forward_layers(probe.network, first[0] + 1, second[0] + 1, h[first[0]], h, context);
  silence(second);
  nn::forward_from(probe.network, second[0], probe.tape, context);
  engine::measure_rows(metric_of(probe.options), probe.tape.output(), probe.labels, changed,
                       context);
  double sum = 0.0;
  for (std::size_t b = 0; b < batch; ++b) {
    sum += static_cast<double>(changed[b]) - static_cast<double>(whole[b]);
  }
  return sum / static_cast<double>(batch);
}

void run_naive(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t batch = probe.inputs.rows();
  const Workspace::Scope scope(context.workspace);
  const auto whole = context.workspace.vector<float>(batch);
  const auto changed = context.workspace.vector<float>(batch);
  const auto alone = context.workspace.vector<double>(out.rows());
  nn::forward(probe.network, probe.inputs, probe.tape, context);
  const engine::LayerStack h(probe.tape, context.workspace);
  engine::measure_rows(metric_of(probe.options), probe.tape.output(), probe.labels, whole, context);
  const auto neuron = [&](std::size_t row) {
    std::size_t layer = 0;
    while (row >= topology.hidden[layer]) {
      row -= topology.hidden[layer++];
    }
    return std::array<std::size_t, 2>{layer, row};
  };
  for (std::size_t i = 0; i < out.rows(); ++i) {
    alone[i] = pass_without(probe, h, neuron(i), neuron(i), whole, changed, context);
    out(i, i) = static_cast<float>(-alone[i]);
  }
  for (std::size_t i = 0; i < out.rows(); ++i) {
    for (std::size_t j = i + 1; j < out.rows(); ++j) {
      const double both = pass_without(probe, h, neuron(i), neuron(j), whole, changed, context);
      out(i, j) = static_cast<float>(both - alone[i] - alone[j]);
      out(j, i) = out(i, j);
    }
  }
}

/// (sample, two neurons of a layer) that are swept.
std::uint64_t couples_of(const Problem& problem, std::size_t layer) {
  const std::uint64_t width = problem.topology.hidden[layer];
  if (is_linear(problem.topology, metric_of(problem.options), layer)) {
    return 0;
  }
  if (problem.active_couples.empty() || problem.topology.activation != Activation::kRelu) {
    return problem.batch * (width * (width - 1) / 2);
  }
  return problem.active_couples[layer];
}

std::uint64_t pairs_of(const Problem& problem, std::size_t layer) {
  if (problem.active_pairs.empty() || problem.topology.activation != Activation::kRelu) {
    return std::uint64_t{problem.batch} * problem.topology.hidden[layer];
  }
  return problem.active_pairs[layer];
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const Metric metric = metric_of(problem.options);
  Flops flops = nn::forward_flops(topology, problem.batch) +
                engine::measure_rows_flops(metric, problem.batch, topology.outputs);
  std::uint64_t earlier = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const std::uint64_t pairs = pairs_of(problem, layer);
    flops += engine::SuffixTile::flops(
        topology, metric, layer,
        pairs + couples_of(problem, layer) + earlier * topology.hidden[layer]);
    earlier += pairs;
  }
  return {flops, engine::floor_bytes(problem, topology.neurons())};
}

Cost cost_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const Flops pass =
      nn::forward_flops(topology, problem.batch) +
      engine::measure_rows_flops(metric_of(problem.options), problem.batch, topology.outputs);
  const std::uint64_t neurons = topology.neurons();
  return {(neurons * (neurons + 1) / 2 + 1) * pass, engine::floor_bytes(problem, neurons)};
}

std::uint64_t workspace_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  return engine::LayerStack::tape_bytes(topology) +
         engine::LayerStack::bytes(topology, problem.batch) +
         engine::vector_bytes<float>(problem.batch) +
         engine::matrix_bytes<float>(topology.neurons(), problem.batch) +
         engine::vector_bytes<double>(topology.neurons()) +
         engine::SuffixSweep::scratch_bytes(topology, 0, topology.hidden.size()) +
         engine::SuffixTile::scratch_bytes() + engine::Restart::scratch_bytes(problem);
}

std::uint64_t workspace_naive(const Problem& problem) {
  return engine::LayerStack::tape_bytes(problem.topology) +
         2 * engine::vector_bytes<float>(problem.batch) +
         engine::vector_bytes<double>(problem.topology.neurons());
}

/// Four metrics are added and subtracted: twice what an effect has.
double rounding_of_interaction(const nn::Topology& topology, double output_scale,
                               double largest_value, double roundoff) {
  return 2.0 * engine::rounding_of_effect(topology, output_scale, roundoff) +
         engine::forward_rounding(topology, roundoff) * largest_value;
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return rounding_of_interaction(problem.topology, problem.output_scale,
                                 engine::largest_magnitude(reference_values),
                                 engine::kFloatRoundoff);
}

double allowed_of(const Probe<double>& probe, MatrixView<const double> values, double epsilon) {
  double scale = 0.0;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    for (const double y : engine::plain_forward(probe.network, probe.inputs.row(b)).logits) {
      scale = std::fmax(scale, std::abs(y));
    }
  }
  return rounding_of_interaction(probe.network.topology, scale, engine::largest_magnitude(values),
                                 epsilon);
}

Identity::Verdict symmetric(const Probe<double>&, const Context<double>&,
                            MatrixView<const double> values, double) {
  Identity::Verdict verdict;
  for (std::size_t i = 0; i < values.rows(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      verdict.deviation = std::fmax(verdict.deviation, std::abs(values(i, j) - values(j, i)));
    }
  }
  return verdict;
}

/// A neuron that is silenced twice is silenced once: Delta_ii = Delta_i.
Identity::Verdict inclusion_exclusion(const Probe<double>& probe, const Context<double>& context,
                                      MatrixView<const double> values, double epsilon) {
  Matrix<double> alone(values.rows(), 1);
  engine::replacement_reference(kAlone)(probe, context, alone);
  Identity::Verdict verdict{0.0, allowed_of(probe, values, epsilon)};
  for (std::size_t i = 0; i < values.rows(); ++i) {
    verdict.deviation = std::fmax(verdict.deviation, std::abs(values(i, i) + alone(i, 0)));
  }
  return verdict;
}

/// In the last hidden layer all four metrics are of y less some of h_j W_(:, j): no pass. For F the
/// interaction is 0.
Identity::Verdict last_layer(const Probe<double>& probe, const Context<double>&,
                             MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t last = topology.hidden.size() - 1;
  const std::size_t width = topology.hidden[last];
  const Metric metric = metric_of(probe.options);
  Matrix<double> expected(width, width);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    const auto without = [&](double with_i, std::size_t i, double with_j, std::size_t j) {
      std::vector<double> y = trace.logits;
      for (std::size_t c = 0; c < y.size(); ++c) {
        y[c] -= with_i * trace.h[last][i] * probe.network.layers.back().weights(c, i) +
                with_j * trace.h[last][j] * probe.network.layers.back().weights(c, j);
      }
      return engine::plain_metric(metric, y, probe.labels[b]);
    };
    for (std::size_t i = 0; i < width; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        expected(i, j) += (without(1, i, 1, j) - without(1, i, 0, j) - without(0, i, 1, j) +
                           without(0, i, 0, j)) /
                          static_cast<double>(probe.inputs.rows());
      }
    }
  }
  Identity::Verdict verdict{0.0, allowed_of(probe, values, epsilon)};
  const std::size_t first = first_row(topology, last);
  for (std::size_t i = 0; i < width; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double value = values(first + i, first + j);
      const double target = metric == Metric::kTarget ? 0.0 : expected(i, j);
      verdict.deviation = std::fmax(verdict.deviation, std::abs(value - target));
    }
  }
  return verdict;
}

}  // namespace

MethodSpec pairwise_ablation() {
  return {
      .name = "pairwise_ablation",
      .summary = "mean change of the loss (or of F) with two neurons at zero, less that with each",
      .formula =
          "Delta_ij - Delta_i - Delta_j, Delta = mean_b (loss(h := 0) - loss); "
          "on the diagonal -Delta_i",
      .source =
          "Grabisch and Roubens, An axiomatic approach to the concept of interaction among "
          "players in cooperative games, 1999 (second-order difference at the full set)",
      .columns = Columns::kNeurons,
      .statistics = {},
      .column_count =
          [](const Problem& problem) {
            return static_cast<std::size_t>(problem.topology.neurons());
          },
      .reference = reference,
      .variants = {{.name = "naive",
                    .summary = "a whole forward pass for every pair",
                    .exponents = {.parameters = 1, .neurons = 2, .batch = 1, .inputs = 0},
                    .cost = cost_naive,
                    .workspace_bytes = workspace_naive,
                    .run = run_naive},
                   {.name = "fast",
                    .summary = "one suffix a neuron, restarted again for all second neurons at "
                               "once; active pairs only within a layer",
                    .exponents = {.parameters = 1, .neurons = 2, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"symmetric", symmetric},
                     {"the diagonal is minus the effect of zero ablation", inclusion_exclusion},
                     {"last hidden layer: from logits alone; 0 for F", last_layer}},
  };
}

}  // namespace interpscale::methods
