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

/// The read-out is linear: patching all of the last hidden layer, which gives the donor's logits,
/// is the sum of patching its neurons one by one. (The loss is not linear: nothing to check.)
Identity::Verdict whole_last_layer(const Probe<double>& probe, const kernels::Context<double>&,
                                   MatrixView<const double> values, double epsilon) {
  Identity::Verdict verdict;
  if (engine::resolved(probe.options.metric, kByDonor.fallback) != Metric::kTarget) {
    return verdict;
  }
  const nn::Topology& topology = probe.network.topology;
  const MatrixView<const double> rows =
      engine::layer_rows(values, topology, topology.hidden.size() - 1);
  double terms = 0.0;
  double scale = 0.0;
  for (std::size_t b = 0; b < rows.cols(); ++b) {
    const auto own = engine::plain_forward(probe.network, probe.inputs.row(b)).logits;
    const auto donor = engine::plain_forward(probe.network, probe.donor.row(b)).logits;
    const std::uint32_t target = probe.labels[b];
    double rest = donor[target] - own[target];
    double magnitudes = 0.0;
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      rest -= rows(j, b);
      magnitudes += std::abs(rows(j, b));
    }
    for (std::size_t c = 0; c < own.size(); ++c) {
      scale = std::fmax(scale, std::abs(own[c]));
    }
    terms = std::fmax(terms, magnitudes);
    verdict.deviation = std::fmax(verdict.deviation, std::abs(rest));
  }
  // Each of the terms is off by what an effect may be; the sum is no worse than all of them.
  verdict.allowed = static_cast<double>(rows.rows()) *
                        engine::rounding_of_effect(topology, scale, epsilon) +
                    engine::forward_rounding(topology, epsilon) * terms;
  return verdict;
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
                     {"last hidden layer, effects on F: they add up to F(donor) - F",
                      whole_last_layer}},
  };
}

}  // namespace interpscale::methods
