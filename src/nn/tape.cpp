// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/tape.hpp"

namespace interpscale::nn {

template <class T>
Tape<T>::Tape(const Topology& topology, std::size_t batch_in, bool keep_pre_activations)
    : batch(batch_in), logits(batch_in, topology.outputs) {
  for (const std::size_t width : topology.hidden) {
    activations.emplace_back(batch_in, width);
    if (keep_pre_activations) {
      pre_activations.emplace_back(batch_in, width);
    }
  }
}

template struct Tape<float>;
template struct Tape<double>;

}  // namespace interpscale::nn
