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

#include "interpscale/methods/spec.hpp"
#include "interpscale/nn/passes.hpp"
#include "methods/engine/interactions.hpp"
#include "methods/engine/metric.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/restart.hpp"
#include "methods/engine/shapes.hpp"
#include "methods/engine/singles.hpp"
#include "methods/engine/suffix_tile.hpp"

namespace interpscale::methods {

MethodSpec pairwise_ablation();

namespace {

using engine::first_row;
using kernels::Activation;
using kernels::Context;
using kernels::Flops;

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t hidden = topology.hidden.size();
  const std::size_t batch = probe.inputs.rows();
  const Metric metric = engine::interaction_metric(probe.options);
  const Workspace::Scope scope(context.workspace);
  probe.tape.batch = batch;
  const engine::LayerStack h(probe.tape, context.workspace);
  const engine::LayerStack z(topology, batch, context.workspace);
  engine::forward_keeping(probe.network, probe.inputs, z, h, probe.tape.output(), context);
  const auto whole = context.workspace.vector<float>(batch);
  engine::measure_rows(metric, probe.tape.output(), probe.labels, whole, context);
  const auto alone = context.workspace.matrix<float>(batch, out.rows());
  const auto of_rows = context.workspace.vector<float>(batch);
  const auto own = context.workspace.matrix<float>(batch, engine::widest_from(topology, 0));
  const auto sums = context.workspace.matrix<double>(1, out.rows());
  engine::clear(alone);
  engine::SuffixSweep sweep(probe.network, 0, hidden, engine::SweepProduct::kAllUnits, context);
  engine::SuffixTile tile(sweep, metric, checked_product(batch, own.cols()), context);
  engine::Restart first(probe, metric, context);
  for (std::size_t layer = hidden; layer-- > 0;) {
    const bool last = layer + 1 == hidden;
    const bool same_layer = !engine::interactions_vanish(topology, metric, layer);
    const MatrixView<const float> next = last ? probe.tape.output() : z[layer + 1];
    for (std::size_t unit = 0; unit < topology.hidden[layer]; ++unit) {
      const std::size_t row = first_row(topology, layer) + unit;
      std::fill(sums.row(0).begin(), sums.row(0).end(), 0.0);
      first.run(layer, unit, h[layer], next, sweep.columns(layer));
      double effect = 0.0;
      for (std::size_t r = 0; r < first.rows(); ++r) {
        of_rows[r] = whole[first.sample(r)];
        alone(first.sample(r), row) = first.metric(r) - of_rows[r];
        effect += static_cast<double>(alone(first.sample(r), row));
      }
      const auto sweep_second = [&](std::size_t second, MatrixView<const float> active,
                                    kernels::Listed which) {
        tile.list(active, which, -1.0F, first.labels());
        tile.add_sums(second, first.next(second), of_rows.first(first.rows()),
                      sums.cols_from(first_row(topology, second), topology.hidden[second]));
      };
      const auto swept = [&](std::size_t second) {
        return first.rows() > 0 &&
               (engine::wanted(probe.options, layer) || engine::wanted(probe.options, second));
      };
      if (same_layer && unit > 0 && swept(layer)) {
        const MatrixView<float> rows = own.rows_from(0, first.rows());
        const MatrixView<float> of_layer = rows.cols_from(0, topology.hidden[layer]);
        context.backend.gather_rows(h[layer], first.samples(), of_layer, context);
        sweep_second(layer, rows.cols_from(0, unit),
                     topology.activation == Activation::kRelu ? kernels::Listed::kPositive
                                                              : kernels::Listed::kAll);
      }
      for (std::size_t second = layer + 1; second < hidden; ++second) {
        if (swept(second)) {
          sweep_second(second, first.h(second), kernels::Listed::kAll);
        }
      }
      const std::size_t begin = first_row(topology, layer);
      for (std::size_t other = begin; other < out.rows(); ++other) {
        const bool later = other >= begin + topology.hidden[layer];
        if (other < row || later) {
          out(row, other) = static_cast<float>((sums(0, other) - (later ? effect : 0.0)) /
                                               static_cast<double>(batch));
          out(other, row) = out(row, other);
        }
      }
      out(row, row) = static_cast<float>(-effect / static_cast<double>(batch));
    }
    engine::take_off_singles(topology, probe.options, layer, same_layer, h[layer], alone, context,
                             out);
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
  engine::measure_rows(engine::interaction_metric(probe.options), probe.tape.output(), probe.labels,
                       changed, context);
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
  engine::measure_rows(engine::interaction_metric(probe.options), probe.tape.output(), probe.labels,
                       whole, context);
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
  if (engine::interactions_vanish(problem.topology, engine::interaction_metric(problem.options),
                                  layer)) {
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
  const Metric metric = engine::interaction_metric(problem.options);
  Flops flops = nn::forward_flops(topology, problem.batch) +
                engine::measure_rows_flops(metric, problem.batch, topology.outputs);
  std::uint64_t earlier = 0;         // pairs of the layers before
  std::uint64_t earlier_wanted = 0;  // and of those that are wanted
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const std::uint64_t pairs = pairs_of(problem, layer);
    const bool wanted = engine::wanted(problem.options, layer);
    const std::uint64_t firsts = wanted ? earlier : earlier_wanted;
    const std::uint64_t swept =
        (wanted ? couples_of(problem, layer) : 0) + firsts * topology.hidden[layer];
    flops += engine::SuffixTile::flops(topology, metric, layer, pairs + swept) +
             engine::SuffixTile::listing_flops(swept) +
             engine::singles_flops(problem, layer,
                                   !engine::interactions_vanish(topology, metric, layer));
    earlier += pairs;
    earlier_wanted += wanted ? pairs : 0;
  }
  return {flops, engine::floor_bytes(problem, topology.neurons())};
}

Cost cost_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const Flops pass = nn::forward_flops(topology, problem.batch) +
                     engine::measure_rows_flops(engine::interaction_metric(problem.options),
                                                problem.batch, topology.outputs);
  const std::uint64_t neurons = topology.neurons();
  return {(neurons * (neurons + 1) / 2 + 1) * pass, engine::floor_bytes(problem, neurons)};
}

std::uint64_t workspace_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t widest = engine::widest_from(topology, 0);
  return engine::LayerStack::tape_bytes(topology) +
         engine::LayerStack::bytes(topology, problem.batch) +
         engine::vector_bytes<float>(problem.batch) +
         engine::matrix_bytes<float>(problem.batch, topology.neurons()) +
         engine::vector_bytes<float>(problem.batch) +
         engine::matrix_bytes<double>(1, topology.neurons()) +
         engine::SuffixSweep::scratch_bytes(topology, 0, topology.hidden.size(),
                                            engine::SweepProduct::kAllUnits) +
         engine::SuffixTile::scratch_bytes(checked_product(problem.batch, widest)) +
         engine::Restart::scratch_bytes(problem) +
         2 * engine::matrix_bytes<float>(problem.batch, widest) +
         engine::matrix_bytes<float>(widest, widest);
}

std::uint64_t workspace_naive(const Problem& problem) {
  return engine::LayerStack::tape_bytes(problem.topology) +
         2 * engine::vector_bytes<float>(problem.batch) +
         engine::vector_bytes<double>(problem.topology.neurons());
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
      .reference = engine::plain_interactions,
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
      .tolerance = engine::interaction_tolerance,
      .identities = engine::interaction_identities(),
  };
}

}  // namespace interpscale::methods
