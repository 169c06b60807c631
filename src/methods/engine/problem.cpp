// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "interpscale/methods/probe.hpp"

namespace interpscale::methods {

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
    for (std::size_t b = 0; b < h.rows(); ++b) {
      active += static_cast<std::uint64_t>(
          std::count_if(h.row(b).begin(), h.row(b).end(), [](T value) { return value > T{0}; }));
    }
    problem.active_pairs.push_back(active);
  }
  for (std::size_t b = 0; b < problem.batch; ++b) {
    for (const T logit : tape.output().row(b)) {
      problem.output_scale = std::fmax(problem.output_scale, std::abs(static_cast<double>(logit)));
    }
  }
  return problem;
}

template Problem problem_of<float>(const Probe<float>&);
template Problem problem_of<double>(const Probe<double>&);

}  // namespace interpscale::methods
