// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/chains.hpp"

#include <algorithm>

#include "methods/engine/metric.hpp"
#include "methods/engine/shapes.hpp"
#include "methods/engine/suffix_tile.hpp"

namespace interpscale::methods::engine {

using kernels::Activation;
using kernels::Context;

Chains::Chains(const Probe<float>& probe, Metric metric, std::size_t layer,
               MatrixView<const float> h, const Context<float>& context)
    : probe_(probe),
      layer_(layer),
      h_(h),
      context_(context),
      metric_(metric),
      skip_inactive_(probe.network.topology.activation == Activation::kRelu),
      bias_(context.workspace.matrix<float>(1, probe.network.layers[layer + 1].bias.size())),
      sweep_(probe.network, layer, layer + 1, context),
      states_(kSuffixRows, bias_.cols(), context.workspace),
      nobody_(context.workspace.vector<float>(h.rows())),
      chain_(context.workspace.vector<std::uint32_t>(kSuffixRows)),
      taken_(context.workspace.vector<std::uint32_t>(kSuffixRows)),
      parent_(context.workspace.vector<std::uint32_t>(kSuffixRows)),
      unit_(context.workspace.vector<std::uint32_t>(kSuffixRows)),
      label_(context.workspace.vector<std::uint32_t>(kSuffixRows)),
      delta_(context.workspace.vector<float>(kSuffixRows)),
      before_(context.workspace.vector<float>(kSuffixRows)),
      after_(context.workspace.vector<float>(kSuffixRows)) {
  const auto& bias = probe.network.layers[layer + 1].bias;
  std::copy(bias.begin(), bias.end(), bias_.row_data(0));
  measure_nobody();
}

void Chains::run(const Orders& orders, MatrixView<const std::uint32_t> order,
                 MatrixView<double> marginals) {
  const std::size_t batch = h_.rows();
  const std::size_t chains = orders.count() * batch;
  for (std::size_t first = 0; first < chains; first += kSuffixRows) {
    std::size_t live = std::min(chains - first, kSuffixRows);
    for (std::size_t r = 0; r < live; ++r) {
      chain_[r] = static_cast<std::uint32_t>(first + r);
      taken_[r] = 0;
      parent_[r] = 0;
      before_[r] = nobody_[(first + r) % batch];
    }
    MatrixView<const float> state = bias_;
    while ((live = next_units(order, live)) > 0) {
      state = step(state, live);
      for (std::size_t r = 0; r < live; ++r) {
        marginals(orders.draw_of(chain_[r] / batch), unit_[r]) +=
            static_cast<double>(after_[r]) - static_cast<double>(before_[r]);
        before_[r] = after_[r];
        parent_[r] = static_cast<std::uint32_t>(r);
      }
    }
  }
}

void Chains::measure_nobody() {
  const Workspace::Scope scope(context_.workspace);
  const MatrixView<const float> logits = sweep_.logits_from(layer_, bias_);
  const auto rows = context_.workspace.matrix<float>(nobody_.size(), logits.cols());
  for (std::size_t b = 0; b < rows.rows(); ++b) {
    std::copy(logits.row(0).begin(), logits.row(0).end(), rows.row_data(b));
  }
  measure_rows(metric_, rows, probe_.labels, nobody_, context_);
}

std::size_t Chains::next_units(MatrixView<const std::uint32_t> order, std::size_t live) {
  const std::size_t batch = h_.rows();
  std::size_t kept = 0;
  for (std::size_t r = 0; r < live; ++r) {
    const std::size_t b = chain_[r] % batch;
    const std::span<const std::uint32_t> units = order.row(chain_[r] / batch);
    std::size_t k = taken_[r];
    while (k < units.size() && skip_inactive_ && !(h_(b, units[k]) > 0.0F)) {
      ++k;
    }
    if (k == units.size()) {
      continue;
    }
    chain_[kept] = chain_[r];
    taken_[kept] = static_cast<std::uint32_t>(k + 1);
    parent_[kept] = parent_[r];
    before_[kept] = before_[r];
    unit_[kept] = units[k];
    label_[kept] = probe_.labels[b];
    delta_[kept] = h_(b, units[k]);
    ++kept;
  }
  return kept;
}

MatrixView<const float> Chains::step(MatrixView<const float> state, std::size_t live) {
  const MatrixView<float> next = states_.next(live, bias_.cols());
  context_.backend.rank_one_rows(state, sweep_.columns(layer_),
                                 {parent_.first(live), unit_.first(live), delta_.first(live)},
                                 false, next, context_);
  measure_rows(metric_, sweep_.logits_from(layer_, next), label_.first(live), after_.first(live),
               context_);
  return next;
}

kernels::Flops Chains::flops(const Problem& problem, Metric metric, std::size_t layer,
                             std::uint64_t pairs) {
  const nn::Topology& topology = problem.topology;
  const std::size_t next = topology.fan_out(layer + 1);
  const auto count = static_cast<std::uint64_t>(problem.options.permutations);
  return SuffixTile::flops(topology, metric, layer, count * pairs) +
         SuffixSweep::flops(topology, layer, 1) - kernels::rank_one_rows_flops(1, next) +
         measure_rows_flops(metric, problem.batch, topology.outputs);
}
std::uint64_t Chains::scratch_bytes(const Problem& problem, std::size_t layer) {
  const nn::Topology& topology = problem.topology;
  const std::size_t next = topology.fan_out(layer + 1);
  return matrix_bytes<float>(1, next) + SuffixSweep::scratch_bytes(topology, layer, layer + 1) +
         PingPong::bytes(kSuffixRows, next) + vector_bytes<float>(problem.batch) +
         5 * vector_bytes<std::uint32_t>(kSuffixRows) + 3 * vector_bytes<float>(kSuffixRows) +
         matrix_bytes<float>(problem.batch, topology.outputs);
}

}  // namespace interpscale::methods::engine
