// A pass over the probe's data set in blocks of its batch: what is kept of D samples is up to the
// method, and activations are held for one block only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "interpscale/methods/probe.hpp"
#include "methods/engine/layer_stack.hpp"
#include "methods/engine/passes.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {

/// visit(first sample, activations of hidden layers [0, layers)) for one block after another, in
/// order; the last may be smaller. Uses the tape's matrices. Scratch: LayerStack::tape_bytes.
template <class Visit>
void stream_activations(const Probe<float>& probe, std::size_t layers,
                        const kernels::Context<float>& context, const Visit& visit) {
  const Workspace::Scope scope(context.workspace);
  const MatrixView<const float> inputs = probe.streamed_inputs();
  const std::size_t block = probe.inputs.rows();
  probe.tape.batch = block;
  const LayerStack stack(probe.tape, context.workspace);
  for (std::size_t first = 0; first < inputs.rows(); first += block) {
    const std::size_t count = std::min(block, inputs.rows() - first);
    const LayerStack h = stack.window(0, count);
    forward_layers(probe.network, 0, layers, inputs.rows_from(first, count), h, context);
    visit(first, h);
  }
}

[[nodiscard]] inline kernels::Flops stream_activations_flops(const Problem& problem,
                                                             std::size_t layers) {
  return forward_layers_flops(problem.topology, 0, layers, problem.streamed_samples());
}

/// Parameters, the data set, its labels, and results, each once.
[[nodiscard]] inline std::uint64_t streamed_floor_bytes(const Problem& problem, std::size_t rows,
                                                        std::size_t columns) {
  return sizeof(float) * (problem.topology.parameters() +
                          std::uint64_t{problem.streamed_samples()} * problem.topology.inputs +
                          std::uint64_t{rows} * columns) +
         sizeof(std::uint32_t) * problem.streamed_samples();
}

}  // namespace interpscale::methods::engine
