// The timed variants; references and identities are in replacement_plain.cpp.
// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/replacement.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>

#include "interpscale/nn/passes.hpp"
#include "methods/engine/activity.hpp"
#include "methods/engine/metric.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/shapes.hpp"
#include "methods/engine/suffix_tile.hpp"

namespace interpscale::methods::engine {
namespace {

using kernels::Activation;
using kernels::Context;
using kernels::Flops;

/// A ReLU at zero stays as it is; other non-linearities reach zero by accident only.
bool skips_inactive(Activation phi) {
  return phi == Activation::kRelu;
}

std::uint64_t pairs_of(const Replacement& what, const Problem& problem, std::size_t layer) {
  const std::uint64_t all = std::uint64_t{problem.batch} * problem.topology.hidden[layer];
  switch (what.with) {
    case With::kZero:
      return problem.active_pairs.empty() || !skips_inactive(problem.topology.activation)
                 ? all
                 : problem.active_pairs[layer];
    case With::kDonor:
      return problem.differing_pairs.empty() ? all : problem.differing_pairs[layer];
    case With::kBatchMean:
      break;
  }
  return all;
}

/// (pair that is swept, unit of the next hidden layer active before); 0 behind the last.
std::uint64_t links_of(const Replacement& what, const Problem& problem, std::size_t layer) {
  if (layer + 1 == problem.topology.hidden.size()) {
    return 0;
  }
  switch (what.with) {
    case With::kZero:
      return active_links(problem, layer);
    case With::kDonor:
      return differing_links(problem, layer);
    case With::kBatchMean:
      break;
  }
  return problem.topology.hidden[layer] * active_pairs(problem, layer + 1);
}

/// What every neuron is replaced with, on every sample.
class Values {
 public:
  /// `h`: the activations of the batch. Donors, where they are wanted, take a pass of their own.
  Values(const Replacement& what, const Probe<float>& probe, const LayerStack& h,
         const Context<float>& context) {
    const nn::Topology& topology = probe.network.topology;
    if (what.with == With::kDonor) {
      require(!probe.donor.empty() && probe.donor.rows() == probe.inputs.rows(),
              "patching needs a donor for every sample");
      donor_ = LayerStack(topology, probe.donor.rows(), context.workspace);
      forward_layers(probe.network, 0, topology.hidden.size(), probe.donor, *donor_, context);
      return;
    }
    common_ = context.workspace.vector<float>(topology.neurons());
    std::fill(common_.begin(), common_.end(), 0.0F);
    if (what.with == With::kBatchMean) {
      std::span<float> rest = common_;
      for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
        context.backend.column_sums(h[layer], 0.0F, rest.first(topology.hidden[layer]), context);
        rest = rest.subspan(topology.hidden[layer]);
      }
      for (float& mean : common_) {
        mean /= static_cast<float>(h.rows());
      }
    }
  }

  /// Of all units of a layer, on sample b.
  [[nodiscard]] std::span<const float> row(const nn::Topology& topology, std::size_t layer,
                                           std::size_t b) const {
    if (donor_) {
      return (*donor_)[layer].row(b);
    }
    return common_.subspan(first_row(topology, layer), topology.hidden[layer]);
  }

  /// The same for all samples, [B, w_l] or one row for all.
  [[nodiscard]] MatrixView<const float> of(const nn::Topology& topology, std::size_t layer) const {
    if (donor_) {
      return (*donor_)[layer];
    }
    const std::span<const float> common = row(topology, layer, 0);
    return {common.data(), 1, common.size(), common.size()};
  }

  [[nodiscard]] static Flops flops(const Replacement& what, const Problem& problem) {
    const nn::Topology& topology = problem.topology;
    Flops total = 0;
    if (what.with == With::kDonor) {
      total += forward_layers_flops(topology, 0, topology.hidden.size(), problem.batch);
    } else if (what.with == With::kBatchMean) {
      total += kernels::column_sums_flops(problem.batch, topology.neurons(), false);
    }
    return total;
  }
  [[nodiscard]] static std::uint64_t scratch_bytes(const Replacement& what,
                                                   const Problem& problem) {
    return what.with == With::kDonor ? LayerStack::bytes(problem.topology, problem.batch)
                                     : vector_bytes<float>(problem.topology.neurons());
  }

 private:
  std::optional<LayerStack> donor_;
  std::span<float> common_;
};

/// Effects of one layer, [w_l, B], into its rows of the attribution: as they are, or their means.
template <class T>
void hand_over(const Replacement& what, MatrixView<const T> effects, MatrixView<float> rows) {
  for (std::size_t j = 0; j < rows.rows(); ++j) {
    const std::span<const T> row = effects.row(j);
    if (what.with == With::kDonor) {
      std::transform(row.begin(), row.end(), rows.row_data(j),
                     [](T effect) { return static_cast<float>(effect); });
    } else {
      rows(j, 0) = static_cast<float>(std::accumulate(row.begin(), row.end(), 0.0) /
                                      static_cast<double>(row.size()));
    }
  }
}

/// Lists the changes that a layer's replacements are, less those that the method skips.
void list_changes(const Replacement& what, const Values& values, const Probe<float>& probe,
                  std::size_t layer, MatrixView<const float> h, const Context<float>& context,
                  SuffixTile& tile) {
  const nn::Topology& topology = probe.network.topology;
  if (what.with == With::kZero) {
    tile.list(
        h, skips_inactive(topology.activation) ? kernels::Listed::kPositive : kernels::Listed::kAll,
        -1.0F, probe.labels);
    return;
  }
  const Workspace::Scope scope(context.workspace);
  const MatrixView<float> less = context.workspace.matrix<float>(h.rows(), h.cols());
  context.backend.multiply_change(h, values.of(topology, layer), {}, less, context);
  tile.list(less, what.with == With::kDonor ? kernels::Listed::kNonzero : kernels::Listed::kAll,
            -1.0F, probe.labels);
}

/// effects(j, b) := metric with unit j at its replacement - metric, for `layer`, whose activations
/// are `h`. Pairs that would not change are not swept, where the method skips them, and have no
/// effect in any case.
void sweep_layer(const Replacement& what, const Values& values, const Probe<float>& probe,
                 std::size_t layer, MatrixView<const float> h, MatrixView<const float> next,
                 std::span<const float> unchanged, const Context<float>& context, SuffixTile& tile,
                 MatrixView<double> effects) {
  const nn::Topology& topology = probe.network.topology;
  for (std::size_t j = 0; j < effects.rows(); ++j) {
    std::fill(effects.row(j).begin(), effects.row(j).end(), 0.0);
  }
  list_changes(what, values, probe, layer, h, context, tile);
  tile.add_effects(layer, next, unchanged, effects);
  if (what.with == With::kDonor ||
      (what.with == With::kZero && skips_inactive(topology.activation))) {
    return;
  }
  for (std::size_t b = 0; b < h.rows(); ++b) {
    const std::span<const float> replaced = values.row(topology, layer, b);
    for (std::size_t j = 0; j < replaced.size(); ++j) {
      if (h(b, j) == replaced[j]) {
        effects(j, b) = 0.0;
      }
    }
  }
}

void run_fast(const Replacement& what, const Probe<float>& probe, const Context<float>& context,
              MatrixView<float> out) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t hidden = topology.hidden.size();
  const std::size_t batch = probe.inputs.rows();
  const Metric metric = resolved(probe.options.metric, what.fallback);
  const Workspace::Scope scope(context.workspace);
  probe.tape.batch = batch;
  const LayerStack h(probe.tape, context.workspace);
  const LayerStack z(topology, batch, context.workspace);
  forward_keeping(probe.network, probe.inputs, z, h, probe.tape.output(), context);
  const std::span<float> unchanged = context.workspace.vector<float>(batch);
  measure_rows(metric, probe.tape.output(), probe.labels, unchanged, context);
  const Values values(what, probe, h, context);
  for (std::size_t layer = 0; layer < hidden; ++layer) {
    const Workspace::Scope layer_scope(context.workspace);
    const auto effects = context.workspace.matrix<double>(topology.hidden[layer], batch);
    SuffixSweep sweep(probe.network, layer, layer + 1, SweepProduct::kActiveUnits, context);
    SuffixTile tile(sweep, metric, checked_product(batch, topology.hidden[layer]), context);
    sweep_layer(what, values, probe, layer, h[layer],
                layer + 1 < hidden ? z[layer + 1] : probe.tape.output(), unchanged, context, tile,
                effects);
    hand_over<double>(what, effects, layer_rows(out, topology, layer));
  }
}

void run_naive(const Replacement& what, const Probe<float>& probe, const Context<float>& context,
               MatrixView<float> out) {
  const nn::Mlp<float>& network = probe.network;
  const nn::Topology& topology = network.topology;
  const std::size_t batch = probe.inputs.rows();
  const Metric metric = resolved(probe.options.metric, what.fallback);
  const Workspace::Scope scope(context.workspace);
  const std::span<float> unchanged = context.workspace.vector<float>(batch);
  const std::span<float> changed = context.workspace.vector<float>(batch);
  nn::forward(network, probe.inputs, probe.tape, context);
  const LayerStack h(probe.tape, context.workspace);
  const Values values(what, probe, h, context);
  measure_rows(metric, probe.tape.output(), probe.labels, unchanged, context);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const Workspace::Scope layer_scope(context.workspace);
    const std::size_t width = topology.hidden[layer];
    const auto effects = context.workspace.matrix<float>(width, batch);
    for (std::size_t j = 0; j < width; ++j) {
      forward_layers(network, 0, layer + 1, probe.inputs, h, context);
      for (std::size_t b = 0; b < batch; ++b) {
        h[layer](b, j) = values.row(topology, layer, b)[j];
      }
      nn::forward_from(network, layer, probe.tape, context);
      measure_rows(metric, probe.tape.output(), probe.labels, changed, context);
      std::transform(changed.begin(), changed.end(), unchanged.begin(), effects.row_data(j),
                     std::minus<>());
    }
    hand_over<float>(what, effects, layer_rows(out, topology, layer));
  }
}

Cost cost_of(const Replacement& what, const Problem& problem, Flops flops) {
  const bool donor = what.with == With::kDonor;
  const std::uint64_t donor_bytes =
      donor ? sizeof(float) * std::uint64_t{problem.batch} * problem.topology.inputs : 0;
  return {flops, floor_bytes(problem, donor ? problem.batch : 1) + donor_bytes};
}

/// The batch's own pass, its metric, and what neurons are replaced with.
Flops flops_once(const Replacement& what, const Problem& problem, Metric metric) {
  return nn::forward_flops(problem.topology, problem.batch) +
         measure_rows_flops(metric, problem.batch, problem.topology.outputs) +
         Values::flops(what, problem);
}

Cost cost_fast(const Replacement& what, const Problem& problem) {
  const Metric metric = resolved(problem.options.metric, what.fallback);
  Flops flops = flops_once(what, problem, metric);
  for (std::size_t layer = 0; layer < problem.topology.hidden.size(); ++layer) {
    const std::uint64_t pairs = pairs_of(what, problem, layer);
    flops +=
        SuffixTile::flops(problem.topology, metric, layer, pairs, links_of(what, problem, layer)) +
        SuffixTile::listing_flops(pairs);
    if (what.with != With::kZero) {
      // A difference each.
      flops += std::uint64_t{problem.batch} * problem.topology.hidden[layer];
    }
  }
  return cost_of(what, problem, flops);
}

Cost cost_naive(const Replacement& what, const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const Metric metric = resolved(problem.options.metric, what.fallback);
  const Flops pass = nn::forward_flops(topology, problem.batch) +
                     measure_rows_flops(metric, problem.batch, topology.outputs);
  return cost_of(what, problem, flops_once(what, problem, metric) + topology.neurons() * pass);
}

std::uint64_t workspace_fast(const Replacement& what, const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  std::uint64_t layers = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const std::size_t width = topology.hidden[layer];
    layers = std::max(layers, matrix_bytes<double>(width, problem.batch) +
                                  SuffixSweep::scratch_bytes(topology, layer, layer + 1,
                                                             SweepProduct::kActiveUnits) +
                                  SuffixTile::scratch_bytes(checked_product(problem.batch, width)) +
                                  matrix_bytes<float>(problem.batch, width));
  }
  return LayerStack::tape_bytes(topology) + LayerStack::bytes(topology, problem.batch) +
         vector_bytes<float>(problem.batch) + Values::scratch_bytes(what, problem) + layers;
}

std::uint64_t workspace_naive(const Replacement& what, const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  return LayerStack::tape_bytes(topology) + 2 * vector_bytes<float>(problem.batch) +
         Values::scratch_bytes(what, problem) +
         matrix_bytes<float>(widest_from(topology, 0), problem.batch);
}

}  // namespace

std::vector<Variant> replacement_variants(const Replacement& what) {
  const LeadingExponents exponents{.parameters = 1, .neurons = 1, .batch = 1, .inputs = 0};
  const std::string swept = what.with == With::kZero    ? "active (sample, neuron) pairs only"
                            : what.with == With::kDonor ? "pairs that differ from their donor only"
                                                        : "prefix kept";
  return {
      {.name = "naive",
       .summary = "a whole forward pass for every neuron",
       .exponents = exponents,
       .cost = [what](const Problem& problem) { return cost_naive(what, problem); },
       .workspace_bytes = [what](const Problem& problem) { return workspace_naive(what, problem); },
       .run = [what](const Probe<float>& probe, const Context<float>& context,
                     MatrixView<float> out) { run_naive(what, probe, context, out); }},
      {.name = "fast",
       .summary = swept + "; rank-one update of the next pre-activation, later layers stacked "
                          "into matrix products; ReLU: the first over active units alone",
       .exponents = exponents,
       .cost = [what](const Problem& problem) { return cost_fast(what, problem); },
       .workspace_bytes = [what](const Problem& problem) { return workspace_fast(what, problem); },
       .run = [what](const Probe<float>& probe, const Context<float>& context,
                     MatrixView<float> out) { run_fast(what, probe, context, out); }}};
}

}  // namespace interpscale::methods::engine
