// The effect of a neuron by taking away what it tells: the mean change of the loss when its
// activation is its mean over the batch on every sample. How it is computed:
// methods/engine/replacement.hpp.
// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/replacement.hpp"

namespace interpscale::methods {

MethodSpec mean_ablation();

namespace {

constexpr engine::Replacement kByMean{engine::With::kBatchMean, Metric::kLoss};

}  // namespace

MethodSpec mean_ablation() {
  return {
      .name = "mean_ablation",
      .summary =
          "mean change of the loss (or of F) when a neuron is set to its mean over the batch",
      .formula = "mean_b (loss(h_j := mean_b' h_j(b')) - loss)",
      .source =
          "Wang et al., Interpretability in the wild: a circuit for indirect object "
          "identification in GPT-2 small, ICLR 2023",
      .columns = Columns::kScore,
      .statistics = {},
      .column_count = [](const Problem&) { return std::size_t{1}; },
      .reference = engine::replacement_reference(kByMean),
      .variants = engine::replacement_variants(kByMean),
      .tolerance = engine::effect_tolerance,
      .identities = {engine::unchanged_neurons(kByMean), engine::last_layer_closed_form(kByMean)},
  };
}

}  // namespace interpscale::methods
