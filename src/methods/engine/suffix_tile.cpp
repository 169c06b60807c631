// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/suffix_tile.hpp"

#include <algorithm>

#include "methods/engine/metric.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {

SuffixTile::SuffixTile(SuffixSweep& sweep, Metric metric, std::size_t most,
                       const kernels::Context<float>& context)
    : sweep_(sweep),
      metric_(metric),
      context_(context),
      list_{context.workspace.vector<std::uint32_t>(most),
            context.workspace.vector<std::uint32_t>(most),
            context.workspace.vector<std::uint32_t>(most), context.workspace.vector<float>(most)},
      before_(context.workspace.vector<float>(kSuffixRows)),
      after_(context.workspace.vector<float>(kSuffixRows)),
      zeros_(context.workspace.vector<std::uint32_t>(kSuffixRows)) {
  std::fill(zeros_.begin(), zeros_.end(), std::uint32_t{0});
}

void SuffixTile::list(MatrixView<const float> a, kernels::Listed which, float factor,
                      std::span<const std::uint32_t> labels) {
  count_ = context_.backend.list_elements(a, which, labels, factor, list_, context_);
}

void SuffixTile::sweep(std::size_t layer, MatrixView<const float> next,
                       std::span<const float> before, bool by_base, MatrixView<double> effects) {
  const MatrixView<const float> of_bases(before.data(), before.size(), 1, 1);
  for (std::size_t first = 0; first < count_; first += kSuffixRows) {
    const std::size_t rows = std::min(kSuffixRows, count_ - first);
    const std::span<const std::uint32_t> base = list_.row.subspan(first, rows);
    const std::span<const std::uint32_t> unit = list_.column.subspan(first, rows);
    const std::span<const std::uint32_t> zeros = zeros_.first(rows);
    const MatrixView<const float> logits =
        sweep_.logits(layer, next, {base, unit, list_.value.subspan(first, rows)});
    measure_rows(metric_, logits, list_.tag.subspan(first, rows), after_.first(rows), context_);
    context_.backend.gather_elements(of_bases, {base, zeros}, before_.first(rows), context_);
    const kernels::Places places =
        by_base ? kernels::Places{unit, base} : kernels::Places{zeros, unit};
    context_.backend.add_changes(after_.first(rows), before_.first(rows), places, effects,
                                 context_);
  }
}

kernels::Flops SuffixTile::flops(const nn::Topology& topology, Metric metric, std::size_t layer,
                                 std::uint64_t rows) {
  return SuffixSweep::flops(topology, layer, rows) +
         measure_rows_flops(metric, rows, topology.outputs);
}

kernels::Flops SuffixTile::flops(const nn::Topology& topology, Metric metric, std::size_t layer,
                                 std::uint64_t rows, std::uint64_t links) {
  return SuffixSweep::flops(topology, layer, rows, links) +
         measure_rows_flops(metric, rows, topology.outputs);
}

std::uint64_t SuffixTile::scratch_bytes(std::size_t most) {
  return 3 * vector_bytes<std::uint32_t>(most) + vector_bytes<float>(most) +
         2 * vector_bytes<float>(kSuffixRows) + vector_bytes<std::uint32_t>(kSuffixRows);
}

}  // namespace interpscale::methods::engine
