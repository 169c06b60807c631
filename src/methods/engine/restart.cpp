// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/restart.hpp"

#include "methods/engine/metric.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {

using kernels::Activation;
using kernels::Context;

Restart::Restart(const Probe<float>& probe, Metric metric, const Context<float>& context)
    : probe_(probe),
      metric_(metric),
      context_(context),
      z_(probe.network.topology, probe.inputs.rows(), context.workspace),
      h_(probe.network.topology, probe.inputs.rows(), context.workspace),
      logits_(context.workspace.matrix<float>(probe.inputs.rows(), probe.network.topology.outputs)),
      sample_(context.workspace.vector<std::uint32_t>(probe.inputs.rows())),
      unit_(context.workspace.vector<std::uint32_t>(probe.inputs.rows())),
      label_(context.workspace.vector<std::uint32_t>(probe.inputs.rows())),
      delta_(context.workspace.vector<float>(probe.inputs.rows())),
      values_(context.workspace.vector<float>(probe.inputs.rows())) {}

void Restart::collect(std::size_t unit, MatrixView<const float> h) {
  const bool skip_inactive = probe_.network.topology.activation == Activation::kRelu;
  rows_ = 0;
  for (std::size_t b = 0; b < h.rows(); ++b) {
    if (skip_inactive && !(h(b, unit) > 0.0F)) {
      continue;
    }
    sample_[rows_] = static_cast<std::uint32_t>(b);
    unit_[rows_] = static_cast<std::uint32_t>(unit);
    label_[rows_] = probe_.labels[b];
    delta_[rows_] = -h(b, unit);
    ++rows_;
  }
}

void Restart::run(std::size_t layer, std::size_t unit, MatrixView<const float> h,
                  MatrixView<const float> next, MatrixView<const float> columns) {
  collect(unit, h);
  if (rows_ == 0) {
    return;
  }
  context_.backend.rank_one_rows(next, columns,
                                 {sample_.first(rows_), unit_.first(rows_), delta_.first(rows_)},
                                 false, writable_next(layer), context_);
  const nn::Topology& topology = probe_.network.topology;
  for (std::size_t above = layer + 1; above < topology.hidden.size(); ++above) {
    const MatrixView<float> active = h_.window(0, rows_)[above];
    context_.backend.activate(topology.activation, z_.window(0, rows_)[above], active, context_);
    const nn::DenseLayer<float>& dense = probe_.network.layers[above + 1];
    context_.backend.gemm(kernels::GemmCase::kNT, active, dense.weights, writable_next(above),
                          kernels::Epilogue<float>{.bias = dense.bias}, context_);
  }
  measure_rows(metric_, logits_.rows_from(0, rows_), label_.first(rows_), values_.first(rows_),
               context_);
}

MatrixView<float> Restart::writable_next(std::size_t layer) const {
  return layer + 1 < probe_.network.topology.hidden.size() ? z_.window(0, rows_)[layer + 1]
                                                           : logits_.rows_from(0, rows_);
}

std::uint64_t Restart::scratch_bytes(const Problem& problem) {
  return 2 * LayerStack::bytes(problem.topology, problem.batch) +
         matrix_bytes<float>(problem.batch, problem.topology.outputs) +
         3 * vector_bytes<std::uint32_t>(problem.batch) + 2 * vector_bytes<float>(problem.batch);
}

}  // namespace interpscale::methods::engine
