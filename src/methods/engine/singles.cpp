// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/singles.hpp"

#include <algorithm>

#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {

using kernels::Activation;
using kernels::Context;
using kernels::Flops;

void take_off_singles(const nn::Topology& topology, const MethodOptions& options, std::size_t layer,
                      bool same_layer, MatrixView<const float> h, MatrixView<const float> alone,
                      const Context<float>& context, MatrixView<float> out) {
  const Workspace::Scope scope(context.workspace);
  const std::size_t width = topology.hidden[layer];
  const std::size_t first = first_row(topology, layer);
  const bool all = topology.activation != Activation::kRelu;
  const MatrixView<float> swept = context.workspace.matrix<float>(h.rows(), width);
  for (std::size_t b = 0; b < h.rows(); ++b) {
    std::transform(h.row(b).begin(), h.row(b).end(), swept.row(b).begin(),
                   [all](float value) { return all || value > 0.0F ? 1.0F : 0.0F; });
  }
  for (std::size_t second = layer; second < topology.hidden.size(); ++second) {
    if ((second == layer && !same_layer) || (!wanted(options, layer) && !wanted(options, second))) {
      continue;
    }
    const Workspace::Scope second_scope(context.workspace);
    const std::size_t units = topology.hidden[second];
    const std::size_t before = first_row(topology, second);
    const MatrixView<float> singles = context.workspace.matrix<float>(width, units);
    context.backend.gemm(kernels::GemmCase::kTN, swept, alone.cols_from(before, units), singles,
                         kernels::Epilogue<float>{.alpha = 1.0F / static_cast<float>(h.rows())},
                         context);
    for (std::size_t i = 0; i < width; ++i) {
      for (std::size_t j = 0; j < (second == layer ? i : units); ++j) {
        const float of_both = second == layer ? singles(i, j) + singles(j, i) : singles(i, j);
        out(first + i, before + j) -= of_both;
        out(before + j, first + i) = out(first + i, before + j);
      }
    }
  }
}

Flops singles_flops(const Problem& problem, std::size_t layer, bool same_layer) {
  const nn::Topology& topology = problem.topology;
  Flops flops = 0;
  for (std::size_t second = same_layer ? layer : layer + 1; second < topology.hidden.size();
       ++second) {
    if (wanted(problem.options, layer) || wanted(problem.options, second)) {
      flops += kernels::gemm_flops({topology.hidden[layer], topology.hidden[second], problem.batch},
                                   {.scaled = problem.batch != 1});
    }
  }
  return flops;
}

}  // namespace interpscale::methods::engine
