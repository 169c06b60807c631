// What a neuron wants to see: the input of bounded norm with the highest pre-activation that
// projected gradient ascent finds. (The pre-activation, because where a ReLU is dead its activation
// has no gradient to climb.)
//
// The fast variant walks for all neurons and starts of a layer at once, in tiles: a pass over a
// tile's points stops below the neurons' own layer, whose product is one row for each walk. Every
// step is one trial, taken or not: how much is computed does not depend on the data.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "interpscale/core/parallel.hpp"
#include "interpscale/methods/spec.hpp"
#include "methods/engine/ascent.hpp"
#include "methods/engine/ascent_passes.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/plain_ascent.hpp"
#include "methods/engine/quadrature.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec feature_visualization();

namespace {

using engine::Ascent;
using engine::AscentTile;
using engine::layer_rows;
using engine::LayerStack;
using kernels::Context;
using kernels::Flops;

/// Rows of a tile, at most: the products' blocks of rows are full, and the points stay in a cache.
constexpr std::size_t kMostWalks = 512;

/// The neurons of a layer whose rows are wanted: the first so many.
std::size_t neurons_of(const nn::Topology& topology, const MethodOptions& options,
                       std::size_t layer) {
  const std::size_t width = topology.hidden[layer];
  const std::size_t most = options.neurons_per_layer == 0 ? width : options.neurons_per_layer;
  return engine::wanted(options, layer) ? std::min(width, most) : 0;
}

/// A row: the point, its pre-activation, its activation.
std::size_t columns_of(const Problem& problem) {
  return problem.topology.inputs + 2;
}

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  const nn::Topology& topology = probe.network.topology;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<double> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < neurons_of(topology, probe.options, layer); ++j) {
      const engine::PlainWalk walk =
          engine::plain_best_walk(probe.network, layer, j, probe.options);
      std::copy(walk.point.begin(), walk.point.end(), rows.row(j).begin());
      rows(j, topology.inputs) = walk.value;
      rows(j, topology.inputs + 1) = engine::plain_activation(topology.activation, walk.value);
    }
  }
}

std::vector<double> clearance(const Probe<double>& probe) {
  const nn::Topology& topology = probe.network.topology;
  std::vector<double> all;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const std::size_t neurons = neurons_of(topology, probe.options, layer);
    for (std::size_t j = 0; j < topology.hidden[layer]; ++j) {
      all.push_back(j < neurons
                        ? engine::plain_best_walk(probe.network, layer, j, probe.options).clearance
                        : 0.0);
    }
  }
  return all;
}

/// The starts [S, d], from the workspace.
MatrixView<float> starts_in(const Probe<float>& probe, Workspace& workspace) {
  const std::size_t inputs = probe.network.topology.inputs;
  const MatrixView<float> starts =
      workspace.matrix<float>(engine::ascent_starts(probe.options), inputs);
  for (std::size_t s = 0; s < starts.rows(); ++s) {
    const std::vector<double> start = engine::ascent_start(probe.options, s, inputs);
    std::transform(start.begin(), start.end(), starts.row(s).begin(),
                   [](double value) { return static_cast<float>(value); });
  }
  return starts;
}

/// The highest of each neuron's walks into the neurons' rows; then their activations.
void write_rows(const Ascent& ascent, std::size_t starts, const Context<float>& context,
                kernels::Activation phi, MatrixView<float> rows) {
  const std::size_t inputs = rows.cols() - 2;
  parallel_for(context.threads, rows.rows(), [&](std::size_t j) {
    const std::span<const float> values = ascent.values().subspan(j * starts, starts);
    const auto best =
        static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
    const std::span<const float> point = ascent.points().row(j * starts + best);
    std::copy(point.begin(), point.end(), rows.row(j).begin());
    rows(j, inputs) = values[best];
  });
  context.backend.activate(phi, rows.cols_from(inputs, 1), rows.cols_from(inputs + 1, 1), context);
}

/// Neurons whose walks make a tile: as many as fit the budget, at least one.
std::size_t tile_of(const nn::Topology& topology, const MethodOptions& options) {
  const std::size_t starts = engine::ascent_starts(options);
  const auto bytes = [&](std::size_t neurons) {
    const std::size_t rows = checked_product(neurons, starts);
    return Ascent::bytes(rows, topology.inputs, AscentTile::widest(topology)) +
           AscentTile::bytes(topology, rows);
  };
  std::size_t neurons = std::max<std::size_t>(kMostWalks / starts, 1);
  while (neurons > 1 && bytes(neurons) > options.workspace_bytes) {
    neurons /= 2;
  }
  return neurons;
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t starts = engine::ascent_starts(probe.options);
  const std::size_t tile = tile_of(topology, probe.options);
  const std::size_t steps = engine::path_steps(probe.options);
  const Workspace::Scope scope(context.workspace);
  const MatrixView<float> at_starts = starts_in(probe, context.workspace);
  const LayerStack of_starts(topology, starts, context.workspace);
  engine::forward_layers(probe.network, 0, engine::layers_wanted(topology, probe.options) - 1,
                         at_starts, of_starts, context);
  Ascent ascent(tile * starts, topology.inputs, AscentTile::widest(topology), probe.options.radius,
                context);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const Workspace::Scope layer_scope(context.workspace);
    AscentTile passes(probe, layer, tile * starts, context);
    const std::size_t neurons = neurons_of(topology, probe.options, layer);
    for (std::size_t first = 0; first < neurons; first += tile) {
      const std::size_t count = std::min(tile, neurons - first);
      ascent.begin(count * starts);
      passes.begin(first, count * starts);
      engine::set_starts(at_starts, ascent.points());
      engine::climb(
          ascent, steps,
          [&](MatrixView<const float> points, std::span<float> values,
              MatrixView<float> gradients) {
            passes.at_starts(of_starts, ascent, points, values, gradients);
          },
          [&](MatrixView<const float> points, std::span<float> values,
              MatrixView<float> gradients) { passes.at(ascent, points, values, gradients); });
      write_rows(ascent, starts, context, topology.activation,
                 layer_rows(out, topology, layer).rows_from(first, count));
    }
  }
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t starts = engine::ascent_starts(problem.options);
  const auto steps = static_cast<Flops>(engine::path_steps(problem.options));
  Flops flops = engine::forward_layers_flops(
      topology, 0, engine::layers_wanted(topology, problem.options) - 1, starts);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const std::size_t neurons = neurons_of(topology, problem.options, layer);
    const std::size_t rows = checked_product(neurons, starts);
    flops += steps * (Ascent::propose_flops(rows, topology.inputs) +
                      AscentTile::flops(topology, layer, rows, true)) +
             AscentTile::starts_flops(topology, layer, rows, false) +
             kernels::activate_flops(topology.activation, neurons);
  }
  return {flops,
          sizeof(float) * (topology.parameters() + topology.neurons() * columns_of(problem))};
}

std::uint64_t workspace_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t starts = engine::ascent_starts(problem.options);
  const std::size_t rows = tile_of(topology, problem.options) * starts;
  return engine::matrix_bytes<float>(starts, topology.inputs) +
         LayerStack::bytes(topology, starts) +
         Ascent::bytes(rows, topology.inputs, AscentTile::widest(topology)) +
         AscentTile::bytes(topology, rows);
}

void run_naive(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t starts = engine::ascent_starts(probe.options);
  const std::size_t steps = engine::path_steps(probe.options);
  const Workspace::Scope scope(context.workspace);
  const MatrixView<float> at_starts = starts_in(probe, context.workspace);
  engine::WholeAscent passes(probe, context);
  Ascent ascent(starts, topology.inputs, 0, probe.options.radius, context);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    for (std::size_t j = 0; j < neurons_of(topology, probe.options, layer); ++j) {
      ascent.begin(starts);
      engine::set_starts(at_starts, ascent.points());
      const auto evaluate = [&](MatrixView<const float> points, std::span<float> values,
                                MatrixView<float> gradients) {
        passes.at(layer, j, points, values, gradients);
      };
      engine::climb(ascent, steps, evaluate, evaluate);
      write_rows(ascent, starts, context, topology.activation,
                 layer_rows(out, topology, layer).rows_from(j, 1));
    }
  }
}

Cost cost_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const auto steps = static_cast<Flops>(engine::path_steps(problem.options));
  const Flops step =
      Ascent::propose_flops(engine::ascent_starts(problem.options), topology.inputs) +
      engine::WholeAscent::forward_flops(problem);
  Cost total = cost_fast(problem);
  total.flops = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    total.flops += neurons_of(topology, problem.options, layer) *
                   (engine::WholeAscent::forward_flops(problem) +
                    steps * (step + engine::WholeAscent::backward_flops(problem, layer)) +
                    kernels::activate_flops(topology.activation, 1));
  }
  return total;
}

std::uint64_t workspace_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t starts = engine::ascent_starts(problem.options);
  return engine::matrix_bytes<float>(starts, topology.inputs) +
         engine::WholeAscent::bytes(problem) + Ascent::bytes(starts, topology.inputs, 0);
}

/// A value's own rounding; and for every step that of the gradient, which moves the next point by
/// as much of r, and the value there by as much of r norm(g): no more than the value is large.
double relative_rounding(const nn::Topology& topology, const MethodOptions& options,
                         double roundoff) {
  return (static_cast<double>(engine::path_steps(options)) + 1.0) *
         (engine::forward_rounding(topology, roundoff) +
          engine::backward_rounding(topology, roundoff) +
          engine::kConditioning * engine::gamma(topology.inputs + 8, roundoff));
}

/// Of a value relative to its size, or to 1: see `deviation`.
double tolerance(const Problem& problem, MatrixView<const double>) {
  return relative_rounding(problem.topology, problem.options, engine::kFloatRoundoff);
}

/// Values are compared, not points: equally high points may lie apart, and an identity holds each
/// point against its value.
double deviation(MatrixView<const double> found, MatrixView<const double> exact) {
  double largest = 0.0;
  for (std::size_t row = 0; row < exact.rows(); ++row) {
    for (const std::size_t column : {exact.cols() - 2, exact.cols() - 1}) {
      const double value = exact(row, column);
      largest = std::fmax(largest,
                          std::abs(found(row, column) - value) / std::fmax(1.0, std::abs(value)));
    }
  }
  return largest;
}

/// body(layer, unit, row) for the rows that are wanted.
template <class Body>
void for_neurons(const Probe<double>& probe, MatrixView<const double> values, const Body& body) {
  const nn::Topology& topology = probe.network.topology;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<const double> rows = layer_rows(values, topology, layer);
    for (std::size_t j = 0; j < neurons_of(topology, probe.options, layer); ++j) {
      body(layer, j, rows.row(j));
    }
  }
}

double norm_of(std::span<const double> v) {
  double squares = 0.0;
  for (const double value : v) {
    squares += value * value;
  }
  return std::sqrt(squares);
}

/// The point lies in the ball, and has the pre-activation and the activation beside it.
Identity::Verdict points_have_values(const Probe<double>& probe, const Context<double>&,
                                     MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  Identity::Verdict verdict{0.0, relative_rounding(topology, probe.options, epsilon)};
  for_neurons(probe, values, [&](std::size_t layer, std::size_t j, std::span<const double> row) {
    const std::span<const double> point = row.first(topology.inputs);
    const double z = engine::plain_forward(probe.network, point).z[layer][j];
    const double scale = std::fmax(1.0, std::abs(z));
    const double found = row[topology.inputs];
    const double a = engine::plain_activation(topology.activation, found);
    verdict.deviation = std::fmax(verdict.deviation, norm_of(point) / probe.options.radius - 1.0);
    verdict.deviation = std::fmax(verdict.deviation, std::abs(found - z) / scale);
    verdict.deviation =
        std::fmax(verdict.deviation, std::abs(row[topology.inputs + 1] - a) / scale);
  });
  return verdict;
}

/// No start is higher than where its walk ends, nor than the highest of all.
Identity::Verdict never_falls(const Probe<double>& probe, const Context<double>&,
                              MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  Identity::Verdict verdict{0.0, relative_rounding(topology, probe.options, epsilon)};
  for (std::size_t s = 0; s < engine::ascent_starts(probe.options); ++s) {
    const std::vector<double> start = engine::ascent_start(probe.options, s, topology.inputs);
    const engine::PlainTrace trace = engine::plain_forward(probe.network, start);
    for_neurons(probe, values, [&](std::size_t layer, std::size_t j, std::span<const double> row) {
      const double z = trace.z[layer][j];
      verdict.deviation =
          std::fmax(verdict.deviation, (z - row[topology.inputs]) / std::fmax(1.0, std::abs(z)));
    });
  }
  return verdict;
}

/// Where the pre-activation is linear, the best point of the ball: r w / norm(w), and its value.
Identity::Verdict first_layer(const Probe<double>& probe, const Context<double>&,
                              MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const double radius = probe.options.radius;
  const nn::DenseLayer<double>& dense = probe.network.layers[0];
  Identity::Verdict verdict{0.0, relative_rounding(topology, probe.options, epsilon)};
  for_neurons(probe, values, [&](std::size_t layer, std::size_t j, std::span<const double> row) {
    const double norm = norm_of(dense.weights.row(j % dense.weights.rows()));
    if (layer > 0 || norm == 0.0) {
      return;
    }
    const double scale = std::fmax(1.0, radius * norm + std::abs(dense.bias[j]));
    const double value = radius * norm + dense.bias[j];
    verdict.deviation =
        std::fmax(verdict.deviation, std::abs(row[topology.inputs] - value) / scale);
    for (std::size_t i = 0; i < topology.inputs; ++i) {
      verdict.deviation =
          std::fmax(verdict.deviation, std::abs(row[i] / radius - dense.weights(j, i) / norm));
    }
  });
  return verdict;
}

std::vector<std::string> names_of(const Problem& problem) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < problem.topology.inputs; ++i) {
    names.push_back(fmt::format("input_{}", i));
  }
  names.insert(names.end(), {"pre_activation", "activation"});
  return names;
}

}  // namespace

MethodSpec feature_visualization() {
  return {
      .name = "feature_visualization",
      .summary =
          "the input of bounded norm that a neuron answers to most, found by ascent; then "
          "the neuron's pre-activation and activation there",
      .formula =
          "argmax of z_j(x) over norm(x) <= r: K steps x <- P(x + s dz_j/dx / norm), taken "
          "if z_j rises, s adapted; the best of several starts",
      .source = "Erhan et al., Visualizing higher-layer features of a deep network, 2009",
      .columns = Columns::kInputs,
      .statistics = {},
      .column_count = columns_of,
      .column_names = names_of,
      .reference = reference,
      .variants = {{.name = "naive",
                    .summary = "K + 1 forward and K backward passes of the whole network for every "
                               "neuron, its starts side by side",
                    .exponents = {.parameters = 1, .neurons = 1, .batch = 0, .inputs = 0},
                    .cost = cost_naive,
                    .workspace_bytes = workspace_naive,
                    .run = run_naive},
                   {.name = "fast",
                    .summary = "the walks of all neurons of a layer side by side, in tiles; passes "
                               "stop at the neurons' own layer, and that of the starts is shared",
                    .exponents = {.parameters = 1, .neurons = 1, .batch = 0, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .deviation = deviation,
      .clearance = clearance,
      .identities = {{"the point lies in the ball and has the pre-activation and activation beside "
                      "it",
                      points_have_values},
                     {"no start is higher", never_falls},
                     {"first hidden layer: r w_j / norm(w_j), of value r norm(w_j) + b_j",
                      first_layer}},
  };
}

}  // namespace interpscale::methods
