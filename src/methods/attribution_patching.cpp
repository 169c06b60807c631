// First-order estimate of what giving a neuron its activation on other inputs would change: the
// difference of activations times the gradient. Two forward passes and one backward pass serve all
// neurons, where patching them one by one takes a pass a neuron.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "interpscale/methods/spec.hpp"
#include "methods/engine/metric.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec attribution_patching();

namespace {

using engine::layer_rows;
using engine::LayerStack;
using kernels::Context;
using kernels::Flops;

Metric metric_of(const MethodOptions& options) {
  return engine::resolved(options.metric, Metric::kTarget);
}

template <class T>
void require_donor(const Probe<T>& probe) {
  require(probe.donor.rows() == probe.inputs.rows() && probe.donor.cols() == probe.inputs.cols(),
          "attribution patching needs a donor for every sample");
}

void reference(const Probe<double>& probe, const Context<double>&, MatrixView<double> out) {
  require_donor(probe);
  const Metric metric = metric_of(probe.options);
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    const engine::PlainTrace donor = engine::plain_forward(probe.network, probe.donor.row(b));
    const auto gradient = engine::plain_gradient(
        probe.network, trace, engine::plain_metric_gradient(metric, trace.logits, probe.labels[b]));
    std::size_t row = 0;
    for (std::size_t layer = 0; layer < gradient.size(); ++layer) {
      for (std::size_t j = 0; j < gradient[layer].size(); ++j) {
        out(row++, b) = (donor.h[layer][j] - trace.h[layer][j]) * gradient[layer][j];
      }
    }
  }
}

void run_fast(const Probe<float>& probe, const Context<float>& context, MatrixView<float> out) {
  require_donor(probe);
  const Metric metric = metric_of(probe.options);
  const nn::Topology& topology = probe.network.topology;
  const std::size_t hidden = topology.hidden.size();
  const Workspace::Scope scope(context.workspace);
  probe.tape.batch = probe.inputs.rows();
  const LayerStack h(probe.tape, context.workspace);
  const LayerStack donor(topology, h.rows(), context.workspace);
  engine::forward_layers(probe.network, 0, hidden, probe.inputs, h, context);
  engine::forward_layers(probe.network, 0, engine::layers_wanted(topology, probe.options),
                         probe.donor, donor, context);
  engine::visit_gradients(
      probe.network, h, engine::lowest_wanted(topology, probe.options), context,
      [&](MatrixView<float> gradient) {
        if (metric == Metric::kLoss) {
          engine::loss_rows(probe.network, h[hidden - 1], probe.labels, gradient, context);
        } else {
          engine::target_rows(probe.network, probe.labels, gradient, context);
        }
      },
      [&](std::size_t layer, MatrixView<const float> gradient) {
        if (!engine::wanted(probe.options, layer)) {
          return;
        }
        const Workspace::Scope visit_scope(context.workspace);
        const MatrixView<float> product =
            context.workspace.matrix<float>(gradient.rows(), gradient.cols());
        context.backend.multiply_change(donor[layer], h[layer], gradient, product, context);
        context.backend.transpose(product, layer_rows(out, topology, layer), context);
      });
}

Cost cost_fast(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t batch = problem.batch;
  const MethodOptions& options = problem.options;
  Flops flops =
      engine::forward_layers_flops(topology, 0, topology.hidden.size(), batch) +
      engine::forward_layers_flops(topology, 0, engine::layers_wanted(topology, options), batch) +
      engine::target_gradients_flops(topology, engine::lowest_wanted(topology, options), batch) +
      kernels::multiply_change_flops(batch * engine::wanted_neurons(topology, options));
  if (metric_of(problem.options) == Metric::kLoss) {
    flops += engine::loss_rows_flops(topology, batch);
  }
  const std::uint64_t donor = sizeof(float) * std::uint64_t{batch} * topology.inputs;
  return {flops, engine::floor_bytes(problem, batch) + donor};
}

std::uint64_t workspace_bytes(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t widest = engine::widest_from(topology, 0);
  const std::uint64_t loss = metric_of(problem.options) == Metric::kLoss
                                 ? engine::loss_rows_bytes(topology, problem.batch)
                                 : 0;
  return LayerStack::tape_bytes(topology) + LayerStack::bytes(topology, problem.batch) +
         engine::PingPong::bytes(problem.batch, widest) +
         std::max(loss, engine::matrix_bytes<float>(problem.batch, widest));
}

/// Both activations carry their error. An error of y moves log p by at most twice as much, and a
/// loss's gradient p - [c = t] by as much relative to 1 - p_t.
double relative_rounding(const nn::Topology& topology, Metric metric, double output_scale,
                         double roundoff) {
  const double forward = engine::forward_rounding(topology, roundoff);
  const double of_softmax = metric == Metric::kLoss ? 2.0 * output_scale * forward : 0.0;
  return 2.0 * forward + engine::backward_rounding(topology, roundoff) + of_softmax;
}

double tolerance(const Problem& problem, MatrixView<const double> reference_values) {
  return relative_rounding(problem.topology, metric_of(problem.options), problem.output_scale,
                           engine::kFloatRoundoff) *
         engine::largest_magnitude(reference_values);
}

/// The read-out is linear in h_L: the estimate there is (h(donor) - h) sum_c W_cj dM/dy_c, and for
/// the target output the whole effect of the patch.
Identity::Verdict last_layer_effect(const Probe<double>& probe, const Context<double>&,
                                    MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const Metric metric = metric_of(probe.options);
  const std::size_t last = topology.hidden.size() - 1;
  const MatrixView<const double> rows = layer_rows(values, topology, last);
  Identity::Verdict verdict;
  double magnitude = 0.0;
  double output_scale = 0.0;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    const engine::PlainTrace donor = engine::plain_forward(probe.network, probe.donor.row(b));
    const std::vector<double> errors =
        engine::plain_metric_gradient(metric, trace.logits, probe.labels[b]);
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      const engine::PlainTrace patched = engine::plain_forward(
          probe.network, probe.inputs.row(b), engine::PlainPatch{last, j, donor.h[last][j]});
      double effect = 0.0;
      for (std::size_t c = 0; c < errors.size(); ++c) {
        effect += errors[c] * (patched.logits[c] - trace.logits[c]);
        output_scale = std::fmax(output_scale, std::abs(trace.logits[c]));
        magnitude = std::fmax(magnitude, std::abs(errors[c] * patched.logits[c]));
      }
      verdict.deviation = std::fmax(verdict.deviation, std::abs(effect - rows(j, b)));
      magnitude = std::fmax(magnitude, std::abs(rows(j, b)));
    }
  }
  magnitude += output_scale;
  verdict.allowed = magnitude * relative_rounding(topology, metric, output_scale, epsilon);
  return verdict;
}

/// In every layer, the estimate vanishes where the donor's activation is the sample's own.
Identity::Verdict equal_activations(const Probe<double>& probe, const Context<double>&,
                                    MatrixView<const double> values, double) {
  Identity::Verdict verdict;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    const engine::PlainTrace trace = engine::plain_forward(probe.network, probe.inputs.row(b));
    const engine::PlainTrace donor = engine::plain_forward(probe.network, probe.donor.row(b));
    std::size_t row = 0;
    for (std::size_t layer = 0; layer < trace.h.size(); ++layer) {
      for (std::size_t j = 0; j < trace.h[layer].size(); ++j, ++row) {
        if (trace.h[layer][j] == donor.h[layer][j]) {
          verdict.deviation = std::fmax(verdict.deviation, std::abs(values(row, b)));
        }
      }
    }
  }
  return verdict;
}

}  // namespace

MethodSpec attribution_patching() {
  return {
      .name = "attribution_patching",
      .summary = "first-order estimate of patching every neuron with its value on donor inputs",
      .formula = "(h(donor) - h) dF/dh, or dloss/dh",
      .source = "Nanda, Attribution patching, 2023; Kramar et al., AtP*, 2024",
      .columns = Columns::kSamples,
      .statistics = {},
      .column_count = [](const Problem& problem) { return problem.batch; },
      .reference = reference,
      .variants = {{.name = "fast",
                    .summary = "two forward passes and one backward pass of activations",
                    .exponents = {.parameters = 1, .neurons = 0, .batch = 1, .inputs = 0},
                    .cost = cost_fast,
                    .workspace_bytes = workspace_bytes,
                    .run = run_fast}},
      .tolerance = tolerance,
      .identities = {{"last hidden layer: exactly the metric's gradient times the patch's logits",
                      last_layer_effect},
                     {"zero where the donor's activation is the sample's own", equal_activations}},
  };
}

}  // namespace interpscale::methods
