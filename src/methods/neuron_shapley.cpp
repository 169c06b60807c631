// A neuron's fair share of what its layer adds to F: the Shapley value of the game in which the
// neurons of one layer are the players and the absent ones are at zero, from sampled orders.
//
// Along an order, one more neuron is present at every step: the next pre-activation moves by one
// rank-one update, and only a suffix is left to compute. The fast variant walks many (order,
// sample) chains side by side, one step of all of them a tile, and steps over neurons that are
// inactive on the chain's sample, which add nothing. Behind the last hidden layer F is linear, and
// no order is walked.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "interpscale/methods/spec.hpp"
#include "interpscale/nn/passes.hpp"
#include "methods/engine/chains.hpp"
#include "methods/engine/metric.hpp"
#include "methods/engine/orders.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/replacement.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec neuron_shapley();

namespace {

using engine::layer_rows;
using engine::Orders;
using kernels::Activation;
using kernels::Context;
using kernels::Flops;

Metric metric_of(const MethodOptions& options) {
  return engine::resolved(options.metric, Metric::kTarget);
}

/// A draw's sums over its orders and the samples, into means; then each neuron's row.
template <class T>
void write_rows(const Orders& orders, std::size_t batch, MatrixView<double> marginals,
                MatrixView<T> rows) {
  const double terms = static_cast<double>(orders.orders_in_a_draw() * batch);
  for (std::size_t u = 0; u < marginals.rows(); ++u) {
    for (double& marginal : marginals.row(u)) {
      marginal /= terms;
    }
  }
  for (std::size_t j = 0; j < rows.rows(); ++j) {
    const engine::SampleMean mean = engine::mean_of_draws(marginals, j);
    rows(j, 0) = static_cast<T>(mean.value);
    rows(j, 1) = static_cast<T>(mean.standard_error);
  }
}

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  const nn::Topology& topology = probe.network.topology;
  const Metric metric = metric_of(probe.options);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    if (!engine::wanted(probe.options, layer)) {
      continue;
    }
    const std::size_t width = topology.hidden[layer];
    const Orders orders(probe.options, layer);
    Matrix<double> marginals(orders.draws(), width);
    std::vector<std::uint32_t> order(width);
    for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
      const std::vector<double> h =
          engine::plain_forward(probe.network, probe.inputs.row(b)).h[layer];
      for (std::size_t t = 0; t < orders.count(); ++t) {
        orders.write(t, order);
        std::vector<double> present(width, 0.0);
        double before = engine::plain_metric(
            metric, engine::plain_logits_from(probe.network, layer, present), probe.labels[b]);
        for (const std::uint32_t j : order) {
          present[j] = h[j];
          const double after = engine::plain_metric(
              metric, engine::plain_logits_from(probe.network, layer, present), probe.labels[b]);
          marginals(orders.draw_of(t), j) += after - before;
          before = after;
        }
      }
    }
    write_rows<double>(orders, probe.inputs.rows(), marginals, layer_rows(out, topology, layer));
  }
}

void write_orders(const Orders& orders, MatrixView<std::uint32_t> order) {
  for (std::size_t t = 0; t < orders.count(); ++t) {
    orders.write(t, order.row(t));
  }
}

void clear(MatrixView<double> marginals) {
  for (std::size_t u = 0; u < marginals.rows(); ++u) {
    std::fill(marginals.row(u).begin(), marginals.row(u).end(), 0.0);
  }
}

/// Behind the last hidden layer, F is linear: every order gives a neuron the same marginal.
bool has_closed_form(const nn::Topology& topology, const MethodOptions& options,
                     std::size_t layer) {
  return layer + 1 == topology.hidden.size() && metric_of(options) == Metric::kTarget;
}

/// The rows of the last hidden layer, mean_b h_j W_tj.
void write_closed_form(const Probe<float>& probe, MatrixView<const float> h,
                       const Context<float>& context, MatrixView<float> rows) {
  const std::size_t batch = h.rows();
  const auto marginals = context.workspace.matrix<float>(batch, h.cols());
  const auto sums = context.workspace.vector<float>(h.cols());
  engine::target_rows(probe.network, probe.labels, marginals, context);
  context.backend.multiply(h, marginals, marginals, context);
  context.backend.column_sums(marginals, 0.0F, sums, context);
  const bool one_draw = Orders(probe.options, 0).draws() < 2;
  for (std::size_t j = 0; j < rows.rows(); ++j) {
    rows(j, 0) = sums[j] / static_cast<float>(batch);
    rows(j, 1) = one_draw ? std::numeric_limits<float>::infinity() : 0.0F;
  }
}

Flops closed_form_flops(const Problem& problem) {
  const std::size_t width = problem.topology.hidden.back();
  return kernels::multiply_flops(std::uint64_t{problem.batch} * width) +
         kernels::column_sums_flops(problem.batch, width, false);
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const Workspace::Scope scope(context.workspace);
  probe.tape.batch = probe.inputs.rows();
  const engine::LayerStack h(probe.tape, context.workspace);
  engine::forward_layers(probe.network, 0, topology.hidden.size(), probe.inputs, h, context);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    if (!engine::wanted(probe.options, layer)) {
      continue;
    }
    const Workspace::Scope layer_scope(context.workspace);
    if (has_closed_form(topology, probe.options, layer)) {
      write_closed_form(probe, h[layer], context, layer_rows(out, topology, layer));
      continue;
    }
    const std::size_t width = topology.hidden[layer];
    const Orders orders(probe.options, layer);
    const auto order = context.workspace.matrix<std::uint32_t>(orders.count(), width);
    const auto marginals = context.workspace.matrix<double>(orders.draws(), width);
    write_orders(orders, order);
    clear(marginals);
    engine::Chains chains(probe, metric_of(probe.options), layer, h[layer], context);
    chains.run(orders, order, marginals);
    write_rows<float>(orders, h.rows(), marginals, layer_rows(out, topology, layer));
  }
}

/// The layer's activations with some of its neurons present (1; the others 0), then the rest of the
/// network.
void pass_with(const Probe<float>& probe, const engine::LayerStack& h, std::size_t layer,
               std::span<const float> present, std::span<float> values,
               const Context<float>& context) {
  engine::forward_layers(probe.network, 0, layer + 1, probe.inputs, h, context);
  context.backend.scale_columns(present, h[layer], h[layer], context);
  nn::forward_from(probe.network, layer, probe.tape, context);
  engine::measure_rows(metric_of(probe.options), probe.tape.output(), probe.labels, values,
                       context);
}

void run_naive(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t batch = probe.inputs.rows();
  const Workspace::Scope scope(context.workspace);
  probe.tape.batch = batch;
  const engine::LayerStack h(probe.tape, context.workspace);
  const auto nobody = context.workspace.vector<float>(batch);
  std::span<float> before = context.workspace.vector<float>(batch);
  std::span<float> after = context.workspace.vector<float>(batch);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    if (!engine::wanted(probe.options, layer)) {
      continue;
    }
    const Workspace::Scope layer_scope(context.workspace);
    const std::size_t width = topology.hidden[layer];
    const Orders orders(probe.options, layer);
    const auto order = context.workspace.vector<std::uint32_t>(width);
    const auto present = context.workspace.vector<float>(width);
    const auto marginals = context.workspace.matrix<double>(orders.draws(), width);
    clear(marginals);
    std::fill(present.begin(), present.end(), 0.0F);
    pass_with(probe, h, layer, present, nobody, context);
    for (std::size_t t = 0; t < orders.count(); ++t) {
      orders.write(t, order);
      std::fill(present.begin(), present.end(), 0.0F);
      std::copy(nobody.begin(), nobody.end(), before.begin());
      for (const std::uint32_t j : order) {
        present[j] = 1.0F;
        pass_with(probe, h, layer, present, after, context);
        for (std::size_t b = 0; b < batch; ++b) {
          marginals(orders.draw_of(t), j) +=
              static_cast<double>(after[b]) - static_cast<double>(before[b]);
        }
        std::swap(before, after);
      }
    }
    write_rows<float>(orders, batch, marginals, layer_rows(out, topology, layer));
  }
}

std::uint64_t pairs_of(const Problem& problem, std::size_t layer) {
  if (problem.active_pairs.empty() || problem.topology.activation != Activation::kRelu) {
    return std::uint64_t{problem.batch} * problem.topology.hidden[layer];
  }
  return problem.active_pairs[layer];
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  Flops flops = engine::forward_layers_flops(topology, 0, topology.hidden.size(), problem.batch);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    if (!engine::wanted(problem.options, layer)) {
      continue;
    }
    flops += has_closed_form(topology, problem.options, layer)
                 ? closed_form_flops(problem)
                 : engine::Chains::flops(problem, metric_of(problem.options), layer,
                                         pairs_of(problem, layer));
  }
  return {flops, engine::floor_bytes(problem, 2)};
}

Cost cost_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const Flops pass =
      nn::forward_flops(topology, problem.batch) +
      engine::measure_rows_flops(metric_of(problem.options), problem.batch, topology.outputs);
  const auto orders = static_cast<Flops>(problem.options.permutations);
  Flops flops = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const std::size_t width = topology.hidden[layer];
    if (engine::wanted(problem.options, layer)) {
      flops += (orders * width + 1) *
               (pass + kernels::scale_columns_flops(std::uint64_t{problem.batch} * width));
    }
  }
  return {flops, engine::floor_bytes(problem, 2)};
}

std::uint64_t marginals_bytes(const Problem& problem, std::size_t layer) {
  return engine::matrix_bytes<double>(Orders(problem.options, layer).draws(),
                                      problem.topology.hidden[layer]);
}

std::uint64_t workspace_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const auto orders = static_cast<std::size_t>(problem.options.permutations);
  std::uint64_t layers = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    if (has_closed_form(topology, problem.options, layer)) {
      const std::size_t width = topology.hidden[layer];
      layers = std::max(layers, engine::matrix_bytes<float>(problem.batch, width) +
                                    engine::vector_bytes<float>(width));
      continue;
    }
    layers = std::max(layers, engine::matrix_bytes<std::uint32_t>(orders, topology.hidden[layer]) +
                                  marginals_bytes(problem, layer) +
                                  engine::Chains::scratch_bytes(problem, layer));
  }
  return engine::LayerStack::tape_bytes(topology) + layers;
}

std::uint64_t workspace_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  std::uint64_t layers = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    layers = std::max(layers, engine::vector_bytes<std::uint32_t>(topology.hidden[layer]) +
                                  engine::vector_bytes<float>(topology.hidden[layer]) +
                                  marginals_bytes(problem, layer));
  }
  return engine::LayerStack::tape_bytes(topology) + 3 * engine::vector_bytes<float>(problem.batch) +
         layers;
}

/// How far the metric moves on the way from nobody to everybody, at least: logits on the way are
/// about as large as those of the batch and this together.
double largest_path(const nn::Topology& topology, MatrixView<const double> values) {
  double largest = 0.0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<const double> rows = layer_rows(values, topology, layer);
    double sum = 0.0;
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      sum += std::abs(rows(j, 0));
    }
    largest = std::fmax(largest, sum);
  }
  return largest;
}

/// Every marginal is an effect. Errors of the draws' means carry over to their mean, and to its
/// standard error divided by the root of the draws less one: no more.
double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  const double scale = problem.output_scale + largest_path(problem.topology, reference_values);
  return engine::rounding_of_effect(problem.topology, scale, engine::kFloatRoundoff);
}

double scale_of(const Probe<double>& probe, MatrixView<const double> values) {
  double scale = largest_path(probe.network.topology, values);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    for (const double y : engine::plain_forward(probe.network, probe.inputs.row(b)).logits) {
      scale = std::fmax(scale, std::abs(y));
    }
  }
  return scale;
}

/// Marginals along an order telescope.
Identity::Verdict efficiency(const Probe<double>& probe, const Context<double>&,
                             MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const Metric metric = metric_of(probe.options);
  const auto batch = static_cast<double>(probe.inputs.rows());
  Identity::Verdict verdict;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<const double> rows = layer_rows(values, topology, layer);
    const std::vector<double> nobody = engine::plain_logits_from(
        probe.network, layer, std::vector<double>(topology.hidden[layer], 0.0));
    double rest = 0.0;
    for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
      const auto everybody = engine::plain_forward(probe.network, probe.inputs.row(b)).logits;
      rest += (engine::plain_metric(metric, everybody, probe.labels[b]) -
               engine::plain_metric(metric, nobody, probe.labels[b])) /
              batch;
    }
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      rest -= rows(j, 0);
    }
    verdict.deviation = std::fmax(verdict.deviation, std::abs(rest));
  }
  verdict.allowed = engine::rounding_of_effect(topology, scale_of(probe, values), epsilon);
  return verdict;
}

/// Behind a linear read-out every order gives a neuron the same marginal, mean_b h_j W_tj.
Identity::Verdict linear_readout(const Probe<double>& probe, const Context<double>&,
                                 MatrixView<const double> values, double epsilon) {
  Identity::Verdict verdict;
  if (metric_of(probe.options) != Metric::kTarget) {
    return verdict;
  }
  const nn::Topology& topology = probe.network.topology;
  const std::size_t last = topology.hidden.size() - 1;
  const MatrixView<const double> rows = layer_rows(values, topology, last);
  std::vector<double> shares(rows.rows(), 0.0);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const std::vector<double> h = engine::plain_forward(probe.network, probe.inputs.row(b)).h[last];
    for (std::size_t j = 0; j < shares.size(); ++j) {
      shares[j] += h[j] * probe.network.layers.back().weights(probe.labels[b], j) /
                   static_cast<double>(probe.inputs.rows());
    }
  }
  for (std::size_t j = 0; j < shares.size(); ++j) {
    verdict.deviation = std::fmax(verdict.deviation, std::abs(rows(j, 0) - shares[j]));
    verdict.deviation = std::fmax(verdict.deviation, rows(j, 1));
  }
  verdict.allowed = engine::rounding_of_effect(topology, scale_of(probe, values), epsilon);
  return verdict;
}

}  // namespace

MethodSpec neuron_shapley() {
  return {
      .name = "neuron_shapley",
      .summary =
          "a neuron's Shapley value for F among the neurons of its layer, from sampled "
          "orders",
      .formula =
          "mean over T orders and b of v(before and j) - v(before), v(S) = F with the "
          "layer's neurons outside S at zero; with its standard error",
      .source = "Ghorbani and Zou, Neuron Shapley, NeurIPS 2020",
      .columns = Columns::kStatistics,
      .statistics = {"value", "standard_error"},
      .column_count = [](const Problem&) { return std::size_t{2}; },
      .reference = reference,
      .variants = {{.name = "naive",
                    .summary = "a whole forward pass for every neuron of every order",
                    .exponents = {.parameters = 1, .neurons = 1, .batch = 1, .inputs = 0},
                    .cost = cost_naive,
                    .workspace_bytes = workspace_naive,
                    .run = run_naive},
                   {.name = "fast",
                    .summary = "active neurons only; rank-one updates of the next pre-activation "
                               "along many orders and samples side by side, later layers stacked "
                               "into matrix products",
                    .exponents = {.parameters = 1, .neurons = 1, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"a layer's values add up to F less F with the whole layer at zero",
                      efficiency},
                     {"last hidden layer, values for F: mean_b h_j W_tj, with no standard error",
                      linear_readout}},
  };
}

}  // namespace interpscale::methods
