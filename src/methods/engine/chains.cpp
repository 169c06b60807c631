// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/chains.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

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
      sweep_(probe.network, layer, layer + 1, SweepProduct::kAllUnits, context),
      states_(kSuffixRows, bias_.cols(), context.workspace),
      nobody_(context.workspace.vector<float>(h.rows())),
      active_(context.workspace.vector<std::uint32_t>(h.rows())),
      sorted_(context.workspace.vector<std::uint32_t>(
          checked_product(static_cast<std::size_t>(probe.options.permutations), h.rows()))),
      places_(context.workspace.vector<std::uint32_t>(h.cols() + 2)),
      order_(context.workspace.vector<std::uint32_t>(kSuffixRows)),
      sample_(context.workspace.vector<std::uint32_t>(kSuffixRows)),
      draw_(context.workspace.vector<std::uint32_t>(kSuffixRows)),
      label_(context.workspace.vector<std::uint32_t>(kSuffixRows)),
      first_(context.workspace.vector<std::uint32_t>(kSuffixRows)),
      row_(context.workspace.vector<std::uint32_t>(kSuffixRows)),
      before_(context.workspace.vector<float>(kSuffixRows)),
      after_(context.workspace.vector<float>(kSuffixRows)),
      unit_(context.workspace.matrix<std::uint32_t>(h.cols(), kSuffixRows)),
      delta_(context.workspace.matrix<float>(h.cols(), kSuffixRows)) {
  const auto& bias = probe.network.layers[layer + 1].bias;
  std::copy(bias.begin(), bias.end(), bias_.row_data(0));
  for (std::size_t b = 0; b < h.rows(); ++b) {
    active_[b] = static_cast<std::uint32_t>(
        std::count_if(h.row(b).begin(), h.row(b).end(), [](float value) { return value > 0.0F; }));
  }
  std::fill(first_.begin(), first_.end(), std::uint32_t{0});
  std::iota(row_.begin(), row_.end(), std::uint32_t{0});
  measure_nobody();
}

void Chains::run(const Orders& orders, MatrixView<const std::uint32_t> order,
                 MatrixView<double> marginals) {
  sort(orders.count());
  for (std::size_t first = 0; first < sorted_.size(); first += kSuffixRows) {
    std::size_t live = std::min(sorted_.size() - first, kSuffixRows);
    collect(first, orders, order);
    MatrixView<const float> state = bias_;
    std::span<const std::uint32_t> parent = first_;
    std::span<float> before = before_;
    std::span<float> after = after_;
    for (std::size_t k = 0;; ++k) {
      while (live > 0 && length(sample_[live - 1]) == k) {
        --live;
      }
      if (live == 0) {
        break;
      }
      state = step(k, state, parent.first(live), after.first(live));
      context_.backend.add_changes(after.first(live), before.first(live),
                                   {draw_.first(live), unit_.row(k).first(live)}, marginals,
                                   context_);
      std::swap(before, after);
      parent = row_;
    }
  }
}

void Chains::measure_nobody() {
  const Workspace::Scope scope(context_.workspace);
  const MatrixView<const float> logits = sweep_.logits_from(layer_, bias_);
  const auto rows = context_.workspace.matrix<float>(nobody_.size(), logits.cols());
  const auto zeros = context_.workspace.vector<std::uint32_t>(nobody_.size());
  std::fill(zeros.begin(), zeros.end(), std::uint32_t{0});
  context_.backend.gather_rows(logits, zeros, rows, context_);
  measure_rows(metric_, rows, probe_.labels, nobody_, context_);
}

std::size_t Chains::length(std::size_t b) const {
  return skip_inactive_ ? active_[b] : h_.cols();
}

void Chains::sort(std::size_t orders) {
  const std::size_t batch = h_.rows();
  // places_[s]: where the next chain of length w_l - s goes.
  std::fill(places_.begin(), places_.end(), std::uint32_t{0});
  for (std::size_t b = 0; b < batch; ++b) {
    places_[h_.cols() - length(b) + 1] += static_cast<std::uint32_t>(orders);
  }
  std::partial_sum(places_.begin(), places_.end(), places_.begin());
  for (std::size_t t = 0; t < orders; ++t) {
    for (std::size_t b = 0; b < batch; ++b) {
      sorted_[places_[h_.cols() - length(b)]++] = static_cast<std::uint32_t>(t * batch + b);
    }
  }
}

void Chains::collect(std::size_t first, const Orders& orders,
                     MatrixView<const std::uint32_t> order) {
  const auto batch = static_cast<std::uint32_t>(h_.rows());
  const std::size_t count = std::min(sorted_.size() - first, kSuffixRows);
  for (std::size_t r = 0; r < count; ++r) {
    const std::uint32_t chain = sorted_[first + r];
    order_[r] = chain / batch;
    sample_[r] = chain % batch;
    draw_[r] = static_cast<std::uint32_t>(orders.draw_of(order_[r]));
    label_[r] = probe_.labels[sample_[r]];
    before_[r] = nobody_[sample_[r]];
  }
  context_.backend.list_units(h_, {order, order_.first(count), sample_.first(count)},
                              skip_inactive_, unit_.cols_from(0, count), delta_.cols_from(0, count),
                              context_);
}

MatrixView<const float> Chains::step(std::size_t k, MatrixView<const float> state,
                                     std::span<const std::uint32_t> parent,
                                     std::span<float> after) {
  const std::size_t live = parent.size();
  const MatrixView<float> next = states_.next(live, bias_.cols());
  context_.backend.rank_one_rows(state, sweep_.columns(layer_),
                                 {parent, unit_.row(k).first(live), delta_.row(k).first(live)},
                                 false, next, context_);
  measure_rows(metric_, sweep_.logits_from(layer_, next), label_.first(live), after, context_);
  return next;
}

kernels::Flops Chains::flops(const Problem& problem, Metric metric, std::size_t layer,
                             std::uint64_t pairs) {
  const nn::Topology& topology = problem.topology;
  const std::size_t next = topology.fan_out(layer + 1);
  const auto count = static_cast<std::uint64_t>(problem.options.permutations);
  return SuffixTile::flops(topology, metric, layer, count * pairs) +
         kernels::add_changes_flops(count * pairs) + SuffixSweep::flops(topology, layer, 1) -
         kernels::rank_one_rows_flops(1, next) +
         measure_rows_flops(metric, problem.batch, topology.outputs);
}
std::uint64_t Chains::scratch_bytes(const Problem& problem, std::size_t layer) {
  const nn::Topology& topology = problem.topology;
  const std::size_t next = topology.fan_out(layer + 1);
  return matrix_bytes<float>(1, next) +
         SuffixSweep::scratch_bytes(topology, layer, layer + 1, SweepProduct::kAllUnits) +
         PingPong::bytes(kSuffixRows, next) + vector_bytes<float>(problem.batch) +
         vector_bytes<std::uint32_t>(problem.batch) +
         vector_bytes<std::uint32_t>(checked_product(
             static_cast<std::size_t>(problem.options.permutations), problem.batch)) +
         vector_bytes<std::uint32_t>(topology.hidden[layer] + 2) +
         6 * vector_bytes<std::uint32_t>(kSuffixRows) + 2 * vector_bytes<float>(kSuffixRows) +
         matrix_bytes<std::uint32_t>(topology.hidden[layer], kSuffixRows) +
         matrix_bytes<float>(topology.hidden[layer], kSuffixRows) +
         matrix_bytes<float>(problem.batch, topology.outputs) +
         vector_bytes<std::uint32_t>(problem.batch);
}

}  // namespace interpscale::methods::engine
