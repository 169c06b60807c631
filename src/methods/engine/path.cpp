// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/path.hpp"

#include <algorithm>

#include "interpscale/nn/passes.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {
namespace {

/// 128 and 512 rows were within 4 % of it, either way, at widths 64 to 512 (AMD EPYC).
constexpr std::size_t kRowsToStack = 256;

}  // namespace

FirstLayerPath::FirstLayerPath(const Probe<float>& probe, const kernels::Context<float>& context)
    : phi_(probe.network.topology.activation),
      context_(context),
      from_(context.workspace.matrix<float>(probe.inputs.rows(), probe.network.topology.hidden[0])),
      to_(context.workspace.matrix<float>(probe.inputs.rows(), probe.network.topology.hidden[0])) {
  const nn::DenseLayer<float>& dense = probe.network.layers[0];
  const kernels::Epilogue<float> with_bias{.bias = dense.bias};
  context.backend.gemm(kernels::GemmCase::kNT, probe.inputs, dense.weights, to_, with_bias,
                       context);
  if (probe.baseline.empty()) {
    std::copy(dense.bias.begin(), dense.bias.end(), from_.row_data(0));
  } else {
    context.backend.gemm(kernels::GemmCase::kNT, probe.baseline, dense.weights,
                         from_.rows_from(0, 1), with_bias, context);
  }
  for (std::size_t b = 1; b < from_.rows(); ++b) {
    std::copy(from_.row(0).begin(), from_.row(0).end(), from_.row_data(b));
  }
}

void FirstLayerPath::activations_at(float t, MatrixView<float> h) const {
  context_.backend.interpolate(from_, to_, t, h, context_);
  context_.backend.activate(phi_, h, h, context_);
}

kernels::Flops FirstLayerPath::ends_flops(const Problem& problem) {
  const nn::Topology& topology = problem.topology;
  const std::size_t rows = problem.batch + (problem.has_baseline ? 1 : 0);
  return kernels::gemm_flops({rows, topology.hidden[0], topology.inputs}, {.biased = true});
}

kernels::Flops FirstLayerPath::node_flops(const Problem& problem) {
  const std::uint64_t elements = std::uint64_t{problem.batch} * problem.topology.hidden[0];
  return kernels::interpolate_flops(elements) +
         kernels::activate_flops(problem.topology.activation, elements);
}

std::uint64_t FirstLayerPath::scratch_bytes(const Problem& problem) {
  return 2 * matrix_bytes<float>(problem.batch, problem.topology.hidden[0]);
}

PathPasses::PathPasses(const Probe<float>& probe, const kernels::Context<float>& context)
    : probe_(probe),
      context_(context),
      from_(context.workspace.matrix<float>(probe.inputs.rows(), probe.inputs.cols())),
      point_(context.workspace.matrix<float>(probe.inputs.rows(), probe.inputs.cols())) {
  clear(from_);
  if (!probe.baseline.empty()) {
    for (std::size_t b = 0; b < from_.rows(); ++b) {
      std::copy(probe.baseline.row(0).begin(), probe.baseline.row(0).end(), from_.row_data(b));
    }
  }
}

void PathPasses::forward(double t) {
  context_.backend.interpolate(from_, probe_.inputs, static_cast<float>(t), point_, context_);
  nn::forward<float>(probe_.network, point_, probe_.tape, context_);
}

kernels::Flops PathPasses::forward_flops(const Problem& problem) {
  return kernels::interpolate_flops(std::uint64_t{problem.batch} * problem.topology.inputs) +
         nn::forward_flops(problem.topology, problem.batch);
}

std::uint64_t PathPasses::scratch_bytes(const Problem& problem) {
  return 2 * matrix_bytes<float>(problem.batch, problem.topology.inputs);
}

std::size_t stacked_nodes(std::size_t batch, std::size_t nodes) {
  return std::clamp<std::size_t>(kRowsToStack / batch, 1, nodes);
}

}  // namespace interpscale::methods::engine
