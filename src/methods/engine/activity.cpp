// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/activity.hpp"

#include <algorithm>

#include "methods/engine/passes.hpp"
#include "methods/engine/path.hpp"
#include "methods/engine/quadrature.hpp"

namespace interpscale::methods::engine {
namespace {

std::uint64_t units_of(const Problem& problem, std::size_t layer) {
  return problem.topology.hidden[layer];
}

/// Of `pairs` and what is active in the layer after, as if samples were all alike.
std::uint64_t even_links(const Problem& problem, std::size_t layer, std::uint64_t pairs) {
  return problem.batch == 0 ? 0 : pairs * active_pairs(problem, layer + 1) / problem.batch;
}

std::uint64_t active_units(std::span<const float> h) {
  return static_cast<std::uint64_t>(
      std::count_if(h.begin(), h.end(), [](float value) { return value > 0.0F; }));
}

}  // namespace

std::uint64_t active_pairs(const Problem& problem, std::size_t layer) {
  return problem.active_pairs.empty() ? problem.batch * units_of(problem, layer)
                                      : problem.active_pairs[layer];
}

std::uint64_t active_links(const Problem& problem, std::size_t layer) {
  return problem.active_links.empty() ? even_links(problem, layer, active_pairs(problem, layer))
                                      : problem.active_links[layer];
}

std::uint64_t differing_links(const Problem& problem, std::size_t layer) {
  if (!problem.differing_links.empty()) {
    return problem.differing_links[layer];
  }
  const std::uint64_t pairs = problem.differing_pairs.empty()
                                  ? problem.batch * units_of(problem, layer)
                                  : problem.differing_pairs[layer];
  return even_links(problem, layer, pairs);
}

std::uint64_t path_pairs(const Problem& problem, std::size_t layer) {
  return problem.path_pairs.empty() ? path_steps(problem.options) * active_pairs(problem, layer)
                                    : problem.path_pairs[layer];
}

std::uint64_t path_links(const Problem& problem, std::size_t layer) {
  return problem.path_links.empty() ? path_steps(problem.options) * active_links(problem, layer)
                                    : problem.path_links[layer];
}

void count_path_activity(const Probe<float>& probe, const kernels::Context<float>& context,
                         Problem& problem) {
  const nn::Topology& topology = probe.network.topology;
  const std::size_t hidden = topology.hidden.size();
  const Workspace::Scope scope(context.workspace);
  const GaussLegendre rule(path_steps(probe.options), context.workspace);
  const FirstLayerPath path(probe, context);
  const LayerStack h(topology, probe.inputs.rows(), context.workspace);
  problem.path_pairs.assign(hidden, 0);
  problem.path_links.assign(hidden - 1, 0);
  for (const double position : rule.positions) {
    path.activations_at(static_cast<float>(position), h[0]);
    forward_layers(probe.network, 1, hidden, h[0], h, context);
    for (std::size_t b = 0; b < h.rows(); ++b) {
      std::uint64_t below = 0;
      for (std::size_t layer = 0; layer < hidden; ++layer) {
        const std::uint64_t active = active_units(h[layer].row(b));
        problem.path_pairs[layer] += active;
        if (layer > 0) {
          problem.path_links[layer - 1] += below * active;
        }
        below = active;
      }
    }
  }
}

}  // namespace interpscale::methods::engine
