// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/suffix_tile.hpp"

#include "methods/engine/metric.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {

SuffixTile::SuffixTile(SuffixSweep& sweep, Metric metric, const kernels::Context<float>& context)
    : sweep_(sweep),
      metric_(metric),
      context_(context),
      base_(context.workspace.vector<std::uint32_t>(kSuffixRows)),
      unit_(context.workspace.vector<std::uint32_t>(kSuffixRows)),
      label_(context.workspace.vector<std::uint32_t>(kSuffixRows)),
      delta_(context.workspace.vector<float>(kSuffixRows)),
      metric_values_(context.workspace.vector<float>(kSuffixRows)) {}

void SuffixTile::restart(std::size_t layer, MatrixView<const float> next) {
  require(rows_ == 0, "a tile restarts only when it is empty");
  layer_ = layer;
  next_ = next;
}

void SuffixTile::measure() {
  const MatrixView<const float> logits =
      sweep_.logits(layer_, next_, {base_.first(rows_), unit_.first(rows_), delta_.first(rows_)});
  measure_rows(metric_, logits, label_.first(rows_), metric_values_.first(rows_), context_);
}

kernels::Flops SuffixTile::flops(const nn::Topology& topology, Metric metric, std::size_t layer,
                                 std::uint64_t rows) {
  return SuffixSweep::flops(topology, layer, rows) +
         measure_rows_flops(metric, rows, topology.outputs);
}

std::uint64_t SuffixTile::scratch_bytes() {
  return 3 * vector_bytes<std::uint32_t>(kSuffixRows) + 2 * vector_bytes<float>(kSuffixRows);
}

}  // namespace interpscale::methods::engine
