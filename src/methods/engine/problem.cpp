// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "interpscale/methods/probe.hpp"
#include "interpscale/nn/passes.hpp"
#include "methods/engine/activity.hpp"

namespace interpscale::methods {
namespace {

template <class T>
std::uint64_t active_units(std::span<const T> h) {
  return static_cast<std::uint64_t>(
      std::count_if(h.begin(), h.end(), [](T value) { return value > T{0}; }));
}

}  // namespace

template <class T>
Problem problem_of(const Probe<T>& probe) {
  const nn::Tape<T>& tape = probe.tape;
  require(tape.batch == probe.inputs.rows(), "problem_of: the tape holds another batch's pass");
  Problem problem{.topology = probe.network.topology,
                  .batch = probe.inputs.rows(),
                  .options = probe.options,
                  .active_pairs = {},
                  .output_scale = 0.0,
                  .has_baseline = !probe.baseline.empty(),
                  .dataset = probe.dataset.rows()};
  for (std::size_t layer = 0; layer < problem.topology.hidden.size(); ++layer) {
    const MatrixView<const T> h = tape.activation(layer);
    std::uint64_t active = 0;
    std::uint64_t couples = 0;
    for (std::size_t b = 0; b < h.rows(); ++b) {
      const std::uint64_t units = active_units<T>(h.row(b));
      active += units;
      couples += units == 0 ? 0 : units * (units - 1) / 2;
    }
    problem.active_pairs.push_back(active);
    problem.active_couples.push_back(couples);
  }
  for (std::size_t layer = 0; layer + 1 < problem.topology.hidden.size(); ++layer) {
    std::uint64_t links = 0;
    for (std::size_t b = 0; b < problem.batch; ++b) {
      links += active_units<T>(tape.activation(layer).row(b)) *
               active_units<T>(tape.activation(layer + 1).row(b));
    }
    problem.active_links.push_back(links);
  }
  for (std::size_t b = 0; b < problem.batch; ++b) {
    for (const T logit : tape.output().row(b)) {
      problem.output_scale = std::fmax(problem.output_scale, std::abs(static_cast<double>(logit)));
    }
  }
  return problem;
}

template <class T>
Problem problem_of(const Probe<T>& probe, const kernels::Context<T>& context) {
  nn::forward(probe.network, probe.inputs, probe.tape, context);
  Problem problem = problem_of(probe);
  if constexpr (std::is_same_v<T, float>) {
    if (problem.topology.activation == kernels::Activation::kRelu) {
      engine::count_path_activity(probe, context, problem);
    }
  }
  if (probe.donor.empty()) {
    return problem;
  }
  nn::Tape<T> donor(problem.topology, probe.donor.rows());
  nn::forward(probe.network, probe.donor, donor, context);
  const nn::Tape<T>& own = probe.tape;
  for (std::size_t layer = 0; layer < problem.topology.hidden.size(); ++layer) {
    const bool last = layer + 1 == problem.topology.hidden.size();
    std::uint64_t differing = 0;
    std::uint64_t links = 0;
    for (std::size_t b = 0; b < problem.batch; ++b) {
      const std::span<const T> h = own.activation(layer).row(b);
      const std::span<const T> other = donor.activation(layer).row(b);
      std::uint64_t units = 0;
      for (std::size_t j = 0; j < h.size(); ++j) {
        units += h[j] == other[j] ? 0U : 1U;
      }
      differing += units;
      links += last ? 0 : units * active_units<T>(own.activation(layer + 1).row(b));
    }
    problem.differing_pairs.push_back(differing);
    if (!last) {
      problem.differing_links.push_back(links);
    }
  }
  return problem;
}

template Problem problem_of<float>(const Probe<float>&, const kernels::Context<float>&);
template Problem problem_of<double>(const Probe<double>&, const kernels::Context<double>&);
template Problem problem_of<float>(const Probe<float>&);
template Problem problem_of<double>(const Probe<double>&);

}  // namespace interpscale::methods
