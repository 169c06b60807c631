// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "interpscale/core/random.hpp"
#include "interpscale/nn/passes.hpp"
#include "study/subjects/runtime.hpp"

namespace interpscale::study {

Specimen make_specimen(nn::Mlp<float> network, Matrix<float> inputs,
                       std::vector<std::uint32_t> labels) {
  require(inputs.rows() > 0 && labels.size() == inputs.rows(), "a specimen needs a labelled batch");
  Specimen specimen{std::move(network), std::move(inputs), std::move(labels), {}};
  const nn::Topology& topology = specimen.network.topology;
  Setting setting;
  setting.backend = kernels::backend_names<float>().front();
  const Result<Runtime<float>> runtime = Runtime<float>::make(setting);
  require(runtime.has_value(), "the default backend can be made");
  nn::Tape<float> tape(topology, specimen.inputs.rows());
  nn::forward<float>(specimen.network, specimen.inputs, tape, runtime->context());
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<const float> h = tape.activation(layer);
    std::uint64_t active = 0;
    for (std::size_t b = 0; b < h.rows(); ++b) {
      active += static_cast<std::uint64_t>(std::count_if(h.row(b).begin(), h.row(b).end(),
                                                         [](float value) { return value > 0.0F; }));
    }
    specimen.active_pairs.push_back(active);
  }
  return specimen;
}

Specimen random_specimen(const nn::Topology& topology, std::size_t batch, std::uint64_t seed) {
  constexpr double kBiasDeviation = 0.1;
  // Streams of the seed beyond those of the network's layers.
  const RandomStream input_stream(seed, topology.layers());
  const RandomStream label_stream(seed, topology.layers() + 1);
  Matrix<float> inputs(batch, topology.inputs);
  std::uint64_t index = 0;
  for (std::size_t b = 0; b < batch; ++b) {
    for (float& value : inputs.row(b)) {
      value = static_cast<float>(input_stream.normal(index++));
    }
  }
  std::vector<std::uint32_t> labels(batch);
  for (std::size_t b = 0; b < batch; ++b) {
    labels[b] = static_cast<std::uint32_t>(label_stream.below(b, topology.outputs));
  }
  return make_specimen(nn::initialise_he<float>(topology, seed, kBiasDeviation), std::move(inputs),
                       std::move(labels));
}

}  // namespace interpscale::study
