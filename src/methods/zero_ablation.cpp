// The effect of a neuron by taking it away: the mean change of the loss when its activation is
// zero. How it is computed: methods/engine/replacement.hpp.
// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/replacement.hpp"

namespace interpscale::methods {

MethodSpec zero_ablation();

namespace {

constexpr engine::Replacement kByZero{engine::With::kZero, Metric::kLoss};

}  // namespace

MethodSpec zero_ablation() {
  return {
      .name = "zero_ablation",
      .summary = "mean change of the loss (or of F) when a neuron is set to zero",
      .formula = "mean_b (loss(h_j := 0) - loss)",
      .source =
          "Morcos et al., On the importance of single directions for generalization, ICLR "
          "2018",
      .columns = Columns::kScore,
      .statistics = {},
      .column_count = [](const Problem&) { return std::size_t{1}; },
      .reference = engine::replacement_reference(kByZero),
      .variants = engine::replacement_variants(kByZero),
      .tolerance = engine::effect_tolerance,
      .identities = {engine::unchanged_neurons(kByZero), engine::last_layer_closed_form(kByZero)},
  };
}

}  // namespace interpscale::methods
