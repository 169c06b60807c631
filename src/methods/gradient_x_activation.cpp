// First-order importance of a neuron for the target output, sample by sample.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "interpscale/nn/passes.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec gradient_x_activation();

namespace {

using engine::layer_rows;
using kernels::Context;

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    const auto gradient = engine::plain_target_gradient(probe.network, trace, probe.labels[b]);
    std::size_t row = 0;
    for (std::size_t layer = 0; layer < gradient.size(); ++layer) {
      for (std::size_t j = 0; j < gradient[layer].size(); ++j) {
        out(row++, b) = trace.h[layer][j] * gradient[layer][j];
      }
    }
  }
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  nn::forward(probe.network, probe.inputs, probe.tape, context);
  const nn::Topology& topology = probe.network.topology;
  const Workspace::Scope scope(context.workspace);
  const engine::LayerStack h(probe.tape, context.workspace);
  engine::visit_target_gradients(
      probe.network, h, probe.labels, engine::lowest_wanted(topology, probe.options), context,
      [&](std::size_t layer, MatrixView<const float> gradient) {
        if (!engine::wanted(probe.options, layer)) {
          return;
        }
        const Workspace::Scope visit_scope(context.workspace);
        const MatrixView<float> product =
            context.workspace.matrix<float>(gradient.rows(), gradient.cols());
        context.backend.multiply(h[layer], gradient, product, context);
        context.backend.transpose(product, layer_rows(out, topology, layer), context);
      });
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  return {nn::forward_flops(topology, problem.batch) +
              engine::target_gradients_flops(
                  topology, engine::lowest_wanted(topology, problem.options), problem.batch) +
              kernels::multiply_flops(problem.batch *
                                      engine::wanted_neurons(topology, problem.options)),
          engine::floor_bytes(problem, problem.batch)};
}

std::uint64_t workspace_bytes(const Problem& problem) {
  const std::size_t widest = engine::widest_from(problem.topology, 0);
  return engine::LayerStack::tape_bytes(problem.topology) +
         engine::PingPong::bytes(problem.batch, widest) +
         engine::matrix_bytes<float>(problem.batch, widest);
}

double relative_rounding(const nn::Topology& topology, double roundoff) {
  return engine::forward_rounding(topology, roundoff) +
         engine::backward_rounding(topology, roundoff);
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return relative_rounding(problem.topology, engine::kFloatRoundoff) *
         engine::largest_magnitude(reference_values);
}

/// ReLU networks are piecewise linear: what layer l and the biases above it pass on is F.
Identity::Verdict homogeneity(const Probe<double>& probe, const Context<double>&,
                              MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  if (topology.activation != kernels::Activation::kRelu) {
    return {};
  }
  Identity::Verdict verdict;
  double magnitude = 0.0;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    const std::uint32_t target = probe.labels[b];
    const auto gradient = engine::plain_target_gradient(probe.network, trace, target);
    double passed_on_by_biases = probe.network.layers.back().bias[target];
    for (std::size_t layer = topology.hidden.size(); layer-- > 0;) {
      const MatrixView<const double> rows = layer_rows(values, topology, layer);
      double sum = passed_on_by_biases;
      double terms = std::abs(passed_on_by_biases);
      for (std::size_t j = 0; j < rows.rows(); ++j) {
        sum += rows(j, b);
        terms += std::abs(rows(j, b));
      }
      verdict.deviation = std::fmax(verdict.deviation, std::abs(sum - trace.logits[target]));
      magnitude = std::fmax(magnitude, terms);
      for (std::size_t j = 0; j < rows.rows(); ++j) {
        passed_on_by_biases += gradient[layer][j] * probe.network.layers[layer].bias[j] *
                               engine::plain_slope(topology.activation, trace.z[layer][j]);
      }
    }
  }
  verdict.allowed = magnitude * relative_rounding(topology, epsilon);
  return verdict;
}

/// The read-out is linear in h_L: gradient x activation is exactly what a zero there takes away.
Identity::Verdict last_layer_effect(const Probe<double>& probe, const Context<double>&,
                                    MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t last = topology.hidden.size() - 1;
  const MatrixView<const double> rows = layer_rows(values, topology, last);
  Identity::Verdict verdict;
  double magnitude = 0.0;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const std::uint32_t target = probe.labels[b];
    const double whole = engine::plain_forward(probe.network, probe.inputs.row(b)).logits[target];
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      const engine::PlainTrace patched = engine::plain_forward(probe.network, probe.inputs.row(b),
                                                               engine::PlainPatch{last, j, 0.0});
      verdict.deviation =
          std::fmax(verdict.deviation, std::abs(whole - patched.logits[target] - rows(j, b)));
      magnitude = std::fmax(magnitude, std::abs(whole) + std::abs(rows(j, b)));
    }
  }
  verdict.allowed = magnitude * relative_rounding(topology, epsilon);
  return verdict;
}

}  // namespace

MethodSpec gradient_x_activation() {
  return {
      .name = "gradient_x_activation",
      .summary = "first-order contribution of every neuron to the target output",
      .formula = "h dF/dh",
      .source = "Shrikumar et al., Not just a black box, 2016 (gradient x input, at hidden layers)",
      .columns = Columns::kSamples,
      .statistics = {},
      .column_count = [](const Problem& problem) { return problem.batch; },
      .reference = reference,
      .variants = {{.name = "fast",
                    .summary = "one forward pass and one backward pass of activations",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_bytes,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"ReLU: a layer's values and the later biases' b dF/db add up to F",
                      homogeneity},
                     {"last hidden layer: F minus F with the neuron at zero", last_layer_effect}},
  };
}

}  // namespace interpscale::methods
