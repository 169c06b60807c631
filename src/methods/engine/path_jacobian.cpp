// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/path_jacobian.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "interpscale/core/parallel.hpp"
#include "methods/engine/activity.hpp"
#include "methods/engine/jacobian.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/path.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/quadrature.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {
namespace {

using kernels::Context;
using kernels::Flops;

/// x - x', [B, d]: the inputs themselves where the baseline is zero.
MatrixView<const float> path_ways(const Probe<float>& probe, const Context<float>& context) {
  if (probe.baseline.empty()) {
    return probe.inputs;
  }
  const std::size_t batch = probe.inputs.rows();
  const MatrixView<float> ways = context.workspace.matrix<float>(batch, probe.inputs.cols());
  const Workspace::Scope scope(context.workspace);
  const auto sample = context.workspace.vector<std::uint32_t>(batch);
  const auto unit = context.workspace.vector<std::uint32_t>(batch);
  const auto minus_one = context.workspace.vector<float>(batch);
  std::iota(sample.begin(), sample.end(), 0U);
  std::fill(unit.begin(), unit.end(), 0U);
  std::fill(minus_one.begin(), minus_one.end(), -1.0F);
  context.backend.rank_one_rows(probe.inputs, probe.baseline, {sample, unit, minus_one}, false,
                                ways, context);
  return ways;
}

Flops path_ways_flops(const Problem& problem) {
  return problem.has_baseline ? kernels::rank_one_rows_flops(problem.batch, problem.topology.inputs)
                              : 0;
}

std::uint64_t path_ways_bytes(const Problem& problem) {
  if (!problem.has_baseline) {
    return 0;
  }
  return matrix_bytes<float>(problem.batch, problem.topology.inputs) +
         3 * vector_bytes<float>(problem.batch);
}

/// The corner of `scratch` that has the Jacobian's shape.
MatrixView<float> like(MatrixView<const float> jacobian, MatrixView<float> scratch) {
  return scratch.rows_from(0, jacobian.rows()).cols_from(0, jacobian.cols());
}

/// factors(j, s d + i) := ways(s, i). Copies only.
void spread_inputs(MatrixView<const float> ways, MatrixView<float> factors,
                   const Context<float>& context) {
  parallel_for(context.threads, factors.rows(), [&](std::size_t j) {
    for (std::size_t s = 0; s < ways.rows(); ++s) {
      std::copy_n(ways.row_data(s), ways.cols(), factors.row_data(j) + s * ways.cols());
    }
  });
}

/// factors(j, s d + i) := gradient(s, j). Copies only.
void spread_units(MatrixView<const float> gradient, std::size_t d, MatrixView<float> factors,
                  const Context<float>& context) {
  parallel_for(context.threads, factors.rows(), [&](std::size_t j) {
    for (std::size_t s = 0; s < gradient.rows(); ++s) {
      std::fill_n(factors.row_data(j) + s * d, d, gradient(s, j));
    }
  });
}

std::size_t tile_of(const nn::Topology& topology, std::size_t batch, const MethodOptions& options) {
  return jacobian_tile(topology, batch, std::min(options.workspace_bytes, kJacobianTileBytes));
}

/// The Jacobians of all nodes, and their sums.
Flops active_path_flops(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  Flops flops = kernels::first_active_jacobian_flops(path_pairs(problem, 0), topology.inputs, true);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    flops += kernels::accumulate_active_jacobian_flops(path_pairs(problem, layer), topology.inputs);
    if (layer > 0) {
      flops += kernels::next_active_jacobian_flops(path_links(problem, layer - 1), topology.inputs);
    }
  }
  return flops;
}

}  // namespace

void integrate_path_jacobians(const Probe<float>& probe, PathFactor factor,
                              const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const bool through_target = factor == PathFactor::kTargetGradient;
  const std::size_t hidden = topology.hidden.size();
  const std::size_t batch = probe.inputs.rows();
  const std::size_t steps = path_steps(probe.options);
  const std::size_t stacked = stacked_nodes(batch, steps);
  const std::size_t tile = tile_of(topology, batch, probe.options);
  const Workspace::Scope scope(context.workspace);
  const GaussLegendre rule(steps, context.workspace);
  const FirstLayerPath path(probe, context);
  const MatrixView<const float> ways = path_ways(probe, context);
  const LayerStack h(topology, stacked * batch, context.workspace);
  const LayerStack gradients(topology, through_target ? stacked * batch : 0, context.workspace);
  PingPong scratch = jacobian_scratch(topology, tile, context.workspace);
  clear(out);
  const bool by_activity = goes_by_activity(topology);
  const MatrixView<float> spread = context.workspace.matrix<float>(
      by_activity ? 0 : widest_from(topology, 0), checked_product(tile, topology.inputs));
  const auto add_tile = [&](std::size_t node, std::size_t s, std::size_t first,
                            std::size_t samples) {
    const std::size_t row = s * batch + first;
    const float scale = static_cast<float>(rule.weights[node] / static_cast<double>(batch));
    if (by_activity) {
      const LayerStack rows = h.window(row, samples);
      visit_active_jacobians(
          probe.network, rows, ways.rows_from(first, samples), scratch, context,
          [&](std::size_t layer, MatrixView<const float> jacobian) {
            const MatrixView<const float> gains =
                through_target ? gradients[layer].rows_from(row, samples) : MatrixView<float>();
            context.backend.accumulate_active_jacobian({rows[layer], gains, scale, false}, jacobian,
                                                       layer_rows(out, topology, layer), context);
          });
      return;
    }
    visit_prepared_jacobians(
        probe.network, h.window(row, samples), scratch, context,
        [&](MatrixView<float> jacobian) {
          const MatrixView<float> factors = like(jacobian, spread);
          spread_inputs(ways.rows_from(first, samples), factors, context);
          context.backend.multiply(jacobian, factors, jacobian, context);
        },
        [&](std::size_t layer, MatrixView<const float> jacobian) {
          const MatrixView<float> rows = layer_rows(out, topology, layer);
          if (!through_target) {
            context.backend.accumulate_jacobian(jacobian, scale, false, rows, context);
            return;
          }
          const MatrixView<float> factors = like(jacobian, spread);
          spread_units(gradients[layer].rows_from(row, samples), topology.inputs, factors, context);
          context.backend.multiply(jacobian, factors, factors, context);
          context.backend.accumulate_jacobian(factors, scale, false, rows, context);
        });
  };
  for (std::size_t node = 0; node < steps; node += stacked) {
    const std::size_t nodes = std::min(stacked, steps - node);
    for (std::size_t s = 0; s < nodes; ++s) {
      path.activations_at(static_cast<float>(rule.positions[node + s]),
                          h[0].rows_from(s * batch, batch));
    }
    const LayerStack rows = h.window(0, nodes * batch);
    forward_layers(probe.network, 1, hidden, rows[0], rows, context);
    if (through_target) {
      visit_target_gradients(probe.network, rows, probe.labels, 0, context,
                             [&](std::size_t layer, MatrixView<const float> gradient) {
                               copy(gradient, gradients[layer].rows_from(0, nodes * batch));
                             });
    }
    for (std::size_t s = 0; s < nodes; ++s) {
      for (std::size_t first = 0; first < batch; first += tile) {
        add_tile(node + s, s, first, std::min(tile, batch - first));
      }
    }
  }
}

Flops path_jacobians_flops(const Problem& problem, PathFactor factor) {
  const nn::Topology& topology = problem.topology;
  const bool through_target = factor == PathFactor::kTargetGradient;
  const std::size_t steps = path_steps(problem.options);
  const std::size_t rows = checked_product(steps, problem.batch);
  const std::size_t tile = tile_of(topology, problem.batch, problem.options);
  Flops flops = FirstLayerPath::ends_flops(problem) + path_ways_flops(problem) +
                steps * FirstLayerPath::node_flops(problem) +
                forward_layers_flops(topology, 1, topology.hidden.size(), rows);
  if (through_target) {
    flops += target_gradients_flops(topology, 0, rows);
  }
  if (goes_by_activity(topology)) {
    return flops + active_path_flops(problem);
  }
  flops += steps * jacobians_flops(topology, problem.batch);
  const std::uint64_t columns = std::uint64_t{rows} * topology.inputs;
  flops += kernels::multiply_flops(columns * topology.hidden[0]);
  const auto accumulated = [&](std::size_t width, std::size_t samples) {
    return samples == 0 ? 0 : kernels::accumulate_jacobian_flops(width, samples, topology.inputs);
  };
  for (const std::size_t width : topology.hidden) {
    flops += through_target ? kernels::multiply_flops(columns * width) : 0;
    flops += steps * ((problem.batch / tile) * accumulated(width, tile) +
                      accumulated(width, problem.batch % tile));
  }
  return flops;
}

std::uint64_t path_jacobians_bytes(const Problem& problem, PathFactor factor) {
  const nn::Topology& topology = problem.topology;
  const std::size_t steps = path_steps(problem.options);
  const std::size_t rows = stacked_nodes(problem.batch, steps) * problem.batch;
  const std::size_t tile = tile_of(topology, problem.batch, problem.options);
  const std::uint64_t through_target =
      factor == PathFactor::kTargetGradient
          ? LayerStack::bytes(topology, rows) + PingPong::bytes(rows, widest_from(topology, 0))
          : LayerStack::tape_bytes(topology);
  return GaussLegendre::scratch_bytes(steps) + FirstLayerPath::scratch_bytes(problem) +
         path_ways_bytes(problem) + LayerStack::bytes(topology, rows) + through_target +
         jacobian_scratch_bytes(topology, tile) +
         matrix_bytes<float>(goes_by_activity(topology) ? 0 : widest_from(topology, 0),
                             checked_product(tile, topology.inputs));
}

void integrate_paths_one_by_one(const Probe<float>& probe, PathFactor factor,
                                const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const bool through_target = factor == PathFactor::kTargetGradient;
  const std::size_t batch = probe.inputs.rows();
  const std::size_t d = topology.inputs;
  const std::size_t steps = path_steps(probe.options);
  const Workspace::Scope scope(context.workspace);
  const GaussLegendre rule(steps, context.workspace);
  PathPasses path(probe, context);
  const MatrixView<const float> ways = path_ways(probe, context);
  PingPong scratch(batch, widest_from(topology, 0), context.workspace);
  float* const gradients = context.workspace.vector<float>(checked_product(batch, d)).data();
  const MatrixView<float> by_sample{gradients, batch, d, d};
  const MatrixView<const float> as_jacobian{gradients, 1, batch * d, batch * d};
  probe.tape.batch = batch;
  const LayerStack h(probe.tape, context.workspace);
  const MatrixView<float> column = context.workspace.matrix<float>(batch, 1);
  const MatrixView<float> gains = context.workspace.matrix<float>(batch, d);
  clear(out);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<float> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      for (std::size_t k = 0; k < steps; ++k) {
        path.forward(rule.positions[k]);
        if (through_target) {
          visit_target_gradients(probe.network, h, probe.labels, layer, context,
                                 [&](std::size_t visited, MatrixView<const float> gradient) {
                                   if (visited == layer) {
                                     copy(gradient.cols_from(j, 1), column);
                                   }
                                 });
        }
        unit_input_gradients(probe.network, h, layer, j, scratch, by_sample, context);
        context.backend.multiply(by_sample, ways, by_sample, context);
        if (through_target) {
          for (std::size_t b = 0; b < batch; ++b) {
            std::fill(gains.row(b).begin(), gains.row(b).end(), column(b, 0));
          }
          context.backend.multiply(by_sample, gains, by_sample, context);
        }
        context.backend.accumulate_jacobian(
            as_jacobian, static_cast<float>(rule.weights[k] / static_cast<double>(batch)), false,
            rows.rows_from(j, 1), context);
      }
    }
  }
}

Flops paths_one_by_one_flops(const Problem& problem, PathFactor factor) {
  const nn::Topology& topology = problem.topology;
  const bool through_target = factor == PathFactor::kTargetGradient;
  const std::size_t steps = path_steps(problem.options);
  const Flops scaling = kernels::multiply_flops(std::uint64_t{problem.batch} * topology.inputs);
  Flops flops = path_ways_flops(problem);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    Flops node = PathPasses::forward_flops(problem) +
                 unit_input_gradients_flops(topology, layer, problem.batch) + scaling +
                 kernels::accumulate_jacobian_flops(1, problem.batch, topology.inputs);
    if (through_target) {
      node += target_gradients_flops(topology, layer, problem.batch) + scaling;
    }
    flops += topology.hidden[layer] * steps * node;
  }
  return flops;
}

std::uint64_t paths_one_by_one_bytes(const Problem& problem, PathFactor factor) {
  const nn::Topology& topology = problem.topology;
  const std::uint64_t passes = PingPong::bytes(problem.batch, widest_from(topology, 0));
  return GaussLegendre::scratch_bytes(path_steps(problem.options)) +
         PathPasses::scratch_bytes(problem) + path_ways_bytes(problem) + passes +
         vector_bytes<float>(checked_product(problem.batch, topology.inputs)) +
         LayerStack::tape_bytes(topology) + matrix_bytes<float>(problem.batch, 1) +
         matrix_bytes<float>(problem.batch, topology.inputs) +
         (factor == PathFactor::kTargetGradient ? passes : 0);
}

void integrate_paths_plainly(const Probe<double>& probe, PathFactor factor,
                             MatrixView<double> out) {
  const nn::Topology& topology = probe.network.topology;
  const auto batch = static_cast<double>(probe.inputs.rows());
  std::vector<double> positions(path_steps(probe.options));
  std::vector<double> weights(positions.size());
  gauss_legendre(positions, weights);
  for (std::size_t row = 0; row < out.rows(); ++row) {
    std::fill(out.row(row).begin(), out.row(row).end(), 0.0);
  }
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const std::vector<double> start = plain_path_point(probe, b, 0.0);
    for (std::size_t k = 0; k < positions.size(); ++k) {
      const PlainTrace trace =
          plain_forward(probe.network, plain_path_point(probe, b, positions[k]));
      const auto of_target = plain_target_gradient(probe.network, trace, probe.labels[b]);
      for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
        const MatrixView<double> rows = layer_rows(out, topology, layer);
        for (std::size_t j = 0; j < rows.rows(); ++j) {
          const double gain = factor == PathFactor::kTargetGradient ? of_target[layer][j] : 1.0;
          const auto gradient = plain_input_gradient(probe.network, trace, layer, j);
          for (std::size_t i = 0; i < gradient.size(); ++i) {
            rows(j, i) += (probe.inputs(b, i) - start[i]) * weights[k] * gain * gradient[i] / batch;
          }
        }
      }
    }
  }
}

double path_jacobians_rounding(const nn::Topology& topology, std::size_t samples, std::size_t steps,
                               PathFactor factor, double roundoff) {
  const double of_gradient =
      factor == PathFactor::kTargetGradient ? backward_rounding(topology, roundoff) : 0.0;
  return 2.0 * forward_rounding(topology, roundoff) + of_gradient +
         kConditioning * gamma(samples + steps + 6, roundoff);
}

}  // namespace interpscale::methods::engine
