// What a neuron carries of a counterfactual: the change of F on a sample when the neuron is given
// the activation it has on the sample's donor. How it is computed: methods/engine/replacement.hpp.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "methods/engine/metric.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/replacement.hpp"
#include "methods/engine/rounding.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods {

MethodSpec activation_patching();

namespace {

constexpr engine::Replacement kByDonor{engine::With::kDonor, Metric::kTarget};

/// What patching a whole layer does: it gives the donor's logits. The largest |rest| of
/// metric(donor) - metric less the layer's effects, over samples; and the largest |effects| summed.
struct WholeLayer {
  double rest = 0;
  double terms = 0;
};

WholeLayer whole_layer(const Probe<double>& probe, Metric metric, MatrixView<const double> rows) {
  WholeLayer found;
  for (std::size_t b = 0; b < rows.cols(); ++b) {
    const auto own = engine::plain_forward(probe.network, probe.inputs.row(b)).logits;
    const auto donor = engine::plain_forward(probe.network, probe.donor.row(b)).logits;
    double rest = engine::plain_metric(metric, donor, probe.labels[b]) -
                  engine::plain_metric(metric, own, probe.labels[b]);
    double terms = 0.0;
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      rest -= rows(j, b);
      terms += std::abs(rows(j, b));
    }
    found.rest = std::fmax(found.rest, std::abs(rest));
    found.terms = std::fmax(found.terms, terms);
  }
  return found;
}

/// A layer's only neuron is the whole layer; and the read-out is linear, so that patching all of
/// the last hidden layer is, for F, the sum of patching its neurons one by one.
Identity::Verdict whole_layers(const Probe<double>& probe, const kernels::Context<double>&,
                               MatrixView<const double> values, double epsilon) {
  const nn::Topology& topology = probe.network.topology;
  const Metric metric = engine::resolved(probe.options.metric, kByDonor.fallback);
  double scale = 0.0;
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    for (const double y : engine::plain_forward(probe.network, probe.inputs.row(b)).logits) {
      scale = std::fmax(scale, std::abs(y));
    }
  }
  Identity::Verdict worst;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const bool last = layer + 1 == topology.hidden.size();
    if (topology.hidden[layer] > 1 && !(last && metric == Metric::kTarget)) {
      continue;
    }
    const MatrixView<const double> rows = engine::layer_rows(values, topology, layer);
    const WholeLayer found = whole_layer(probe, metric, rows);
    // Each of the terms is off by what an effect may be.
    const double allowed =
        static_cast<double>(rows.rows()) * engine::rounding_of_effect(topology, scale, epsilon) +
        engine::forward_rounding(topology, epsilon) * found.terms;
    if (found.rest - allowed > worst.deviation - worst.allowed || worst.allowed == 0.0) {
      worst = {found.rest, allowed};
    }
  }
  return worst;
}

}  // namespace

MethodSpec activation_patching() {
  return {
      .name = "activation_patching",
      .summary = "change of F (or of the loss) when a neuron is given its donor's activation",
      .formula = "F(h_j := h_j(donor)) - F per sample",
      .source =
          "Vig et al., Investigating gender bias in language models using causal mediation "
          "analysis, NeurIPS 2020",
      .columns = Columns::kSamples,
      .statistics = {},
      .column_count = [](const Problem& problem) { return problem.batch; },
      .reference = engine::replacement_reference(kByDonor),
      .variants = engine::replacement_variants(kByDonor),
      .tolerance = engine::effect_tolerance,
      .identities = {engine::unchanged_neurons(kByDonor),
                     engine::last_layer_closed_form(kByDonor),
                     {"a whole layer patched gives the donor's output: a layer's only neuron, or "
                      "(for F) the last hidden layer's effects together",
                      whole_layers}},
  };
}

}  // namespace interpscale::methods
