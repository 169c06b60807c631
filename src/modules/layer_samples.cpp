// SPDX-License-Identifier: Apache-2.0
#include "modules/layer_samples.hpp"

#include <algorithm>

#include "interpscale/nn/passes.hpp"

namespace interpscale::modules {
namespace {

constexpr std::size_t kChunk = 1024;

}  // namespace

LayerSamples layer_samples(const nn::Mlp<float>& network, const UnitMap& own,
                           const data::Dataset& dataset, const SplicedNetwork& reads,
                           const kernels::Context<float>& context) {
  const std::size_t examples = dataset.inputs.rows();
  const std::size_t capacity = std::min(kChunk, examples);
  const nn::DenseLayer<float>& rows = own.stages.front().dense;
  const bool same = &reads.network() == &network;
  require(same || reads.network().topology == network.topology,
          "surrogate: reads another network's layers");
  LayerSamples samples{Matrix<float>(examples, rows.weights.cols()),
                       Matrix<float>(examples, rows.weights.rows())};
  nn::Tape<float> tape(network.topology, capacity);
  for (std::size_t first = 0; first < examples; first += capacity) {
    const std::size_t count = std::min(capacity, examples - first);
    const MatrixView<const float> inputs = dataset.inputs.view().rows_from(first, count);
    const auto below = [&]() -> MatrixView<const float> {
      return own.layer == 0 ? inputs : MatrixView<const float>(tape.activation(own.layer - 1));
    };
    nn::forward<float>(network, inputs, tape, context);
    context.backend.gemm(kernels::GemmCase::kNT, below(), rows.weights,
                         samples.z.view().rows_from(first, count), {.bias = rows.bias}, context);
    reads.forward(inputs, tape, context);
    copy(below(), samples.below.view().rows_from(first, count));
  }
  return samples;
}

}  // namespace interpscale::modules
