// Each neuron's contribution to the change of the target output against a baseline: DeepLift's
// rescale rule, which replaces slopes by those of the secants between baseline and sample.
//
// The multiplier of h_l has the secants of the later layers in it, not its own; times h - h(x') it
// adds up to F(x) - F(x') in every layer. Two forward passes and one backward pass serve all
// neurons; the baseline's pass is that of a single sample.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/pre_activations.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec deeplift_rescale();

namespace {

using engine::layer_rows;
using engine::LayerStack;
using kernels::Activation;
using kernels::Context;
using kernels::Flops;

/// Below it a secant of smooth units is the slope halfway: off by at most span^2 / 12 (half of the
/// largest |phi'''|, 2, over 24), where the quotient's numerator would lose u / span to rounding.
/// The two meet at the cube root of u. A ReLU's secants lose nothing: on one side of its kink
/// numerator and denominator are equal to the bit.
double smallest_span(Activation phi, double roundoff) {
  return phi == Activation::kRelu ? 1e-30 : std::cbrt(roundoff);
}

double plain_secant(Activation phi, double z, double z0, double h, double h0) {
  const double span = z - z0;
  if (std::abs(span) < smallest_span(phi, engine::kDoubleRoundoff)) {
    return engine::plain_slope(phi, z0 + span / 2.0);
  }
  return (h - h0) / span;
}

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  const nn::Topology& topology = probe.network.topology;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const auto at = engine::plain_forward(probe.network, probe.inputs.row(b));
    const auto from = engine::plain_forward(probe.network, engine::plain_path_point(probe, b, 0.0));
    std::vector<double> above(topology.outputs, 0.0);
    above[probe.labels[b]] = 1.0;
    for (std::size_t layer = topology.hidden.size(); layer-- > 0;) {
      above = engine::plain_transposed_product(probe.network.layers[layer + 1], above);
      const MatrixView<double> rows = layer_rows(out, topology, layer);
      for (std::size_t j = 0; j < above.size(); ++j) {
        rows(j, b) = above[j] * (at.h[layer][j] - from.h[layer][j]);
        above[j] *= plain_secant(topology.activation, at.z[layer][j], from.z[layer][j],
                                 at.h[layer][j], from.h[layer][j]);
      }
    }
  }
}

/// Pre-activations and activations of the batch and of the baseline, and what a layer of the
/// backward pass needs.
class Rescale {
 public:
  Rescale(const Probe<float>& probe, const Context<float>& context)
      : probe_(probe),
        context_(context),
        z_(probe.network.topology, probe.inputs.rows(), context.workspace),
        h_(probe.network.topology, probe.inputs.rows(), context.workspace),
        start_z_(probe.network.topology, 1, context.workspace),
        start_h_(probe.network.topology, 1, context.workspace) {
    const Workspace::Scope scope(context.workspace);
    MatrixView<const float> start = probe.baseline;
    if (start.empty()) {
      const MatrixView<float> zeros = context.workspace.matrix<float>(1, probe.inputs.cols());
      engine::clear(zeros);
      start = zeros;
    }
    engine::forward_with_pre_activations(probe.network, probe.inputs, z_, h_, context);
    engine::forward_with_pre_activations(probe.network, start, start_z_, start_h_, context);
  }

  /// visit(layer, multiplier [B, w_l]) for layers L-1 ... first_layer.
  template <class Visit>
  void visit_multipliers(std::size_t first_layer, const Visit& visit) const {
    const nn::Mlp<float>& network = probe_.network;
    const nn::Topology& topology = network.topology;
    const std::size_t batch = probe_.inputs.rows();
    const Workspace::Scope scope(context_.workspace);
    engine::PingPong scratch(batch, engine::widest_from(topology, first_layer), context_.workspace);
    MatrixView<float> multiplier = scratch.next(batch, topology.hidden.back());
    engine::target_rows(network, probe_.labels, multiplier, context_);
    for (std::size_t layer = topology.hidden.size(); layer-- > first_layer;) {
      visit(layer, MatrixView<const float>(multiplier));
      if (layer > first_layer) {
        multiply_by_secants(layer, multiplier);
        const MatrixView<float> below = scratch.next(batch, topology.hidden[layer - 1]);
        context_.backend.gemm(kernels::GemmCase::kNN, multiplier, network.layers[layer].weights,
                              below, {}, context_);
        multiplier = below;
      }
    }
  }

  [[nodiscard]] MatrixView<const float> activations(std::size_t layer) const { return h_[layer]; }
  /// Those of the baseline, [1, w_l].
  [[nodiscard]] MatrixView<const float> start(std::size_t layer) const { return start_h_[layer]; }

  [[nodiscard]] static Flops flops(const Problem& problem, std::size_t first_layer);
  [[nodiscard]] static std::uint64_t scratch_bytes(const Problem& problem);

 private:
  void multiply_by_secants(std::size_t layer, MatrixView<float> multiplier) const;

  const Probe<float>& probe_;
  const Context<float>& context_;
  LayerStack z_;
  LayerStack h_;
  LayerStack start_z_;
  LayerStack start_h_;
};

void Rescale::multiply_by_secants(std::size_t layer, MatrixView<float> multiplier) const {
  const Activation phi = probe_.network.topology.activation;
  const auto smallest = static_cast<float>(smallest_span(phi, engine::kFloatRoundoff));
  context_.backend.multiply_by_secants(
      phi, {z_[layer], h_[layer], start_z_[layer], start_h_[layer], smallest}, multiplier,
      context_);
}

Flops Rescale::flops(const Problem& problem, std::size_t first_layer) {
  const nn::Topology& topology = problem.topology;
  Flops flops = engine::forward_with_pre_activations_flops(topology, problem.batch) +
                engine::forward_with_pre_activations_flops(topology, 1);
  for (std::size_t layer = topology.hidden.size() - 1; layer > first_layer; --layer) {
    const std::size_t width = topology.hidden[layer];
    const std::uint64_t elements = std::uint64_t{problem.batch} * width;
    flops += kernels::multiply_by_secants_flops(topology.activation, elements) +
             kernels::gemm_flops({problem.batch, topology.hidden[layer - 1], width});
  }
  return flops;
}

std::uint64_t Rescale::scratch_bytes(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t widest = engine::widest_from(topology, 0);
  return 2 * LayerStack::bytes(topology, problem.batch) + 2 * LayerStack::bytes(topology, 1) +
         engine::matrix_bytes<float>(1, topology.inputs) +
         engine::PingPong::bytes(problem.batch, widest);
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const Workspace::Scope scope(context.workspace);
  const Rescale rescale(probe, context);
  rescale.visit_multipliers(0, [&](std::size_t layer, MatrixView<const float> multiplier) {
    const Workspace::Scope visit_scope(context.workspace);
    const MatrixView<float> product =
        context.workspace.matrix<float>(multiplier.rows(), multiplier.cols());
    context.backend.multiply_change(rescale.activations(layer), rescale.start(layer), multiplier,
                                    product, context);
    context.backend.transpose(product, layer_rows(out, probe.network.topology, layer), context);
  });
}

void run_naive(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<float> rows = layer_rows(out, topology, layer);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      const Workspace::Scope scope(context.workspace);
      const MatrixView<float> product = context.workspace.matrix<float>(probe.inputs.rows(), 1);
      const Rescale rescale(probe, context);
      rescale.visit_multipliers(
          layer, [&](std::size_t visited, MatrixView<const float> multiplier) {
            if (visited == layer) {
              context.backend.multiply_change(rescale.activations(layer).cols_from(j, 1),
                                              rescale.start(layer).cols_from(j, 1),
                                              multiplier.cols_from(j, 1), product, context);
            }
          });
      context.backend.transpose(product, rows.rows_from(j, 1), context);
    }
  }
}

Cost cost_fast(const Problem& problem) {
  return {Rescale::flops(problem, 0) +
              kernels::multiply_change_flops(problem.batch * problem.topology.neurons()),
          engine::floor_bytes(problem, problem.batch)};
}

Cost cost_naive(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  Flops flops = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    flops += topology.hidden[layer] *
             (Rescale::flops(problem, layer) + kernels::multiply_change_flops(problem.batch));
  }
  return {flops, engine::floor_bytes(problem, problem.batch)};
}

std::uint64_t workspace_fast(const Problem& problem) {
  return Rescale::scratch_bytes(problem) +
         engine::matrix_bytes<float>(problem.batch, engine::widest_from(problem.topology, 0));
}

std::uint64_t workspace_naive(const Problem& problem) {
  return Rescale::scratch_bytes(problem) + engine::matrix_bytes<float>(problem.batch, 1);
}

/// Two forward passes, a backward pass, and the secants of smooth units (see `smallest_span`): a
/// layer's loses 2 u / span or span^2 / 12, at most 2 u^(2/3).
double relative_rounding(const nn::Topology& topology, double roundoff) {
  const double of_secants =
      topology.activation == Activation::kRelu
          ? 0.0
          : 2.0 * std::cbrt(roundoff * roundoff) * static_cast<double>(topology.hidden.size() - 1);
  return 2.0 * engine::forward_rounding(topology, roundoff) +
         engine::backward_rounding(topology, roundoff) + engine::kConditioning * of_secants;
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return relative_rounding(problem.topology, engine::kFloatRoundoff) *
         engine::largest_magnitude(reference_values);
}

/// Summation to delta: a layer's values add up to F(x) - F(x').
Identity::Verdict summation_to_delta(const Probe<double>& probe, const Context<double>&,
                                     MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  Identity::Verdict verdict;
  double magnitude = 0.0;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const auto start = engine::plain_path_point(probe, b, 0.0);
    const double at =
        engine::plain_forward(probe.network, probe.inputs.row(b)).logits[probe.labels[b]];
    const double from = engine::plain_forward(probe.network, start).logits[probe.labels[b]];
    for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
      const MatrixView<const double> rows = layer_rows(values, topology, layer);
      double sum = from - at;
      double terms = std::abs(from) + std::abs(at);
      for (std::size_t j = 0; j < rows.rows(); ++j) {
        sum += rows(j, b);
        terms += std::abs(rows(j, b));
      }
      verdict.deviation = std::fmax(verdict.deviation, std::abs(sum));
      magnitude = std::fmax(magnitude, terms);
    }
  }
  verdict.allowed = magnitude * relative_rounding(topology, epsilon);
  return verdict;
}

/// The read-out is linear: in the last hidden layer the multiplier is its weight.
Identity::Verdict last_layer(const Probe<double>& probe, const Context<double>&,
                             MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t last = topology.hidden.size() - 1;
  const Matrix<double>& readout = probe.network.layers.back().weights;
  const MatrixView<const double> rows = layer_rows(values, topology, last);
  Identity::Verdict verdict;
  double magnitude = 0.0;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const auto at = engine::plain_forward(probe.network, probe.inputs.row(b));
    const auto from = engine::plain_forward(probe.network, engine::plain_path_point(probe, b, 0.0));
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      const double weight = readout(probe.labels[b], j);
      const double share = weight * (at.h[last][j] - from.h[last][j]);
      verdict.deviation = std::fmax(verdict.deviation, std::abs(share - rows(j, b)));
      magnitude = std::fmax(
          magnitude, std::abs(weight) * (std::abs(at.h[last][j]) + std::abs(from.h[last][j])));
    }
  }
  verdict.allowed = magnitude * relative_rounding(topology, epsilon);
  return verdict;
}

}  // namespace

MethodSpec deeplift_rescale() {
  return {
      .name = "deeplift_rescale",
      .summary = "contribution of every neuron to the output's change against a baseline",
      .formula =
          "m (h - h(x')), m of the layer below = W^T ((phi(z) - phi(z')) / (z - z') m), "
          "starting from F's read-out weights",
      .source =
          "Shrikumar et al., Learning important features through propagating activation "
          "differences, ICML 2017",
      .columns = Columns::kSamples,
      .statistics = {},
      .column_count = [](const Problem& problem) { return problem.batch; },
      .reference = reference,
      .variants = {{.name = "naive",
                    .summary = "two forward passes and one backward pass for every neuron",
                    .exponents = {.parameters = 1, .neurons = 1, .batch = 1, .inputs = 0},
                    .cost = cost_naive,
                    .workspace_bytes = workspace_naive,
                    .run = run_naive},
                   {.name = "fast",
                    .summary = "two forward passes, the baseline's of one sample, and one backward "
                               "pass for all neurons",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_fast,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"a layer's values add up to F(x) - F(x')", summation_to_delta},
                     {"last hidden layer: the target's read-out weights times h - h(x')",
                      last_layer}},
  };
}

}  // namespace interpscale::methods
