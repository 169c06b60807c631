// How a neuron behaves on a batch: the four numbers that every later analysis presupposes.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec activation_statistics();

namespace {

using engine::layer_rows;
using kernels::Context;

enum Column : std::size_t { kMean, kDeviation, kFractionActive, kDead, kColumns };

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  const std::size_t batch = probe.inputs.rows();
  std::vector<engine::PlainTrace> traces;
  for (std::size_t b = 0; b < batch; ++b) {
    traces.push_back(engine::plain_forward(probe.network, probe.inputs.row(b)));
  }
  const auto count = static_cast<double>(batch);
  for (std::size_t layer = 0; layer < probe.network.topology.hidden.size(); ++layer) {
    const MatrixView<double> rows = layer_rows(out, probe.network.topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      double sum = 0.0;
      double active = 0.0;
      for (const engine::PlainTrace& trace : traces) {
        sum += trace.h[layer][j];
        active += trace.h[layer][j] > 0.0 ? 1.0 : 0.0;
      }
      const double mean = sum / count;
      double squares = 0.0;
      for (const engine::PlainTrace& trace : traces) {
        squares += (trace.h[layer][j] - mean) * (trace.h[layer][j] - mean);
      }
      rows(j, kMean) = mean;
      rows(j, kDeviation) = std::sqrt(squares / count);
      rows(j, kFractionActive) = active / count;
      rows(j, kDead) = active == 0.0 ? 1.0 : 0.0;
    }
  }
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t layers = engine::layers_wanted(topology, probe.options);
  const Workspace::Scope scope(context.workspace);
  probe.tape.batch = probe.inputs.rows();
  const engine::LayerStack h(probe.tape, context.workspace);
  engine::forward_layers(probe.network, 0, layers, probe.inputs, h, context);
  const std::size_t widest = engine::widest_from(topology, 0);
  const std::span<float> mean = context.workspace.vector<float>(widest);
  const std::span<float> variance = context.workspace.vector<float>(widest);
  const std::span<float> positive = context.workspace.vector<float>(widest);
  for (std::size_t layer = 0; layer < layers; ++layer) {
    if (!engine::wanted(probe.options, layer)) {
      continue;
    }
    const std::size_t width = topology.hidden[layer];
    context.backend.column_moments(
        h[layer], {mean.first(width), variance.first(width), positive.first(width)}, context);
    const MatrixView<float> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < width; ++j) {
      rows(j, kMean) = mean[j];
      rows(j, kDeviation) = std::sqrt(variance[j]);
      rows(j, kFractionActive) = positive[j];
      rows(j, kDead) = positive[j] > 0.0F ? 0.0F : 1.0F;
    }
  }
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  Cost cost{engine::forward_layers_flops(
                topology, 0, engine::layers_wanted(topology, problem.options), problem.batch),
            engine::floor_bytes(problem, kColumns)};
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    cost.flops += engine::wanted(problem.options, layer)
                      ? kernels::column_moments_flops(problem.batch, topology.hidden[layer])
                      : 0;
  }
  return cost;
}

/// The activations' error, and that of the sums over the batch.
double relative_rounding(const nn::Topology& topology, std::size_t batch, double roundoff) {
  return engine::forward_rounding(topology, roundoff) +
         engine::kConditioning * engine::gamma(batch + 4, roundoff);
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return relative_rounding(problem.topology, problem.batch, engine::kFloatRoundoff) *
         engine::largest_magnitude(reference_values);
}

/// The fractions of a layer times B are counts: they add up to its active pairs.
Identity::Verdict counts_add_up(const Probe<double>& probe, const Context<double>&,
                                MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const auto batch = static_cast<double>(probe.inputs.rows());
  std::vector<double> surplus(topology.hidden.size(), 0.0);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    for (std::size_t layer = 0; layer < surplus.size(); ++layer) {
      for (const double h : trace.h[layer]) {
        surplus[layer] -= h > 0.0 ? 1.0 : 0.0;
      }
    }
  }
  Identity::Verdict verdict;
  for (std::size_t layer = 0; layer < surplus.size(); ++layer) {
    const MatrixView<const double> rows = layer_rows(values, topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      surplus[layer] += rows(j, kFractionActive) * batch;
    }
    verdict.deviation = std::fmax(verdict.deviation, std::abs(surplus[layer]));
  }
  // A fraction is one division away from a count of at most B.
  verdict.allowed = static_cast<double>(topology.neurons()) * batch * 2.0 * epsilon;
  return verdict;
}

/// mean^2 + deviation^2 = mean of squares.
Identity::Verdict second_moment(const Probe<double>& probe, const Context<double>&,
                                MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const auto batch = static_cast<double>(probe.inputs.rows());
  std::vector<double> squares(topology.neurons(), 0.0);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    std::size_t row = 0;
    for (const std::vector<double>& layer : trace.h) {
      for (const double h : layer) {
        squares[row++] += h * h / batch;
      }
    }
  }
  Identity::Verdict verdict;
  double largest = 0.0;
  for (std::size_t row = 0; row < values.rows(); ++row) {
    const double mean = values(row, kMean);
    const double deviation = values(row, kDeviation);
    verdict.deviation =
        std::fmax(verdict.deviation, std::abs(mean * mean + deviation * deviation - squares[row]));
    largest = std::fmax(largest, squares[row]);
  }
  // A relative error of values is twice that of their squares; B values reach sqrt(B) their mean.
  verdict.allowed =
      2.0 * std::sqrt(batch) * largest * relative_rounding(topology, probe.inputs.rows(), epsilon);
  return verdict;
}

std::uint64_t workspace_bytes(const Problem& problem) {
  return engine::LayerStack::tape_bytes(problem.topology) +
         3 * engine::vector_bytes<float>(engine::widest_from(problem.topology, 0));
}

}  // namespace

MethodSpec activation_statistics() {
  return {
      .name = "activation_statistics",
      .summary = "mean, spread and activity of every neuron on a batch",
      .formula = "mean_b h, sqrt(mean_b (h - mean)^2), mean_b [h > 0], [no b has h > 0]",
      .source = "descriptive statistics of a forward pass",
      .columns = Columns::kStatistics,
      .statistics = {"mean", "deviation", "fraction_active", "dead"},
      .column_count = [](const Problem&) -> std::size_t { return kColumns; },
      .reference = reference,
      .variants = {{.name = "fast",
                    .summary = "one forward pass, two passes over each column of activations",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_bytes,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"B times the active fractions of a layer add up to its active pairs",
                      counts_add_up},
                     {"mean^2 + deviation^2 is the mean of h^2", second_moment}},
  };
}

}  // namespace interpscale::methods
