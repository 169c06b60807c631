// SPDX-License-Identifier: Apache-2.0
#include "interpscale/data/batches.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"

namespace interpscale::data {
namespace {

constexpr std::size_t kNoEpoch = std::numeric_limits<std::size_t>::max();
/// Keeps the orders apart from a network's initial values, which take the lowest streams of a seed.
constexpr std::uint64_t kOrderStream = std::uint64_t{1} << 40;

std::vector<std::size_t> order_of(const Dataset& dataset, std::uint64_t seed, std::size_t epoch) {
  return RandomStream(seed, kOrderStream + epoch).permutation(dataset.inputs.rows());
}

void make_room(const Dataset& dataset, std::size_t rows, Batch& out) {
  if (out.inputs.rows() == rows && out.inputs.cols() == dataset.inputs.cols() &&
      out.labels.size() == (dataset.labels.empty() ? 0 : rows) &&
      out.targets.cols() == dataset.targets.cols()) {
    return;
  }
  out.inputs = Matrix<float>(rows, dataset.inputs.cols());
  out.labels.assign(dataset.labels.empty() ? 0 : rows, 0);
  out.targets =
      dataset.targets.empty() ? Matrix<float>() : Matrix<float>(rows, dataset.targets.cols());
}

/// Row r of `out` := example examples[r].
void gather(const Dataset& dataset, std::span<const std::size_t> examples, Batch& out) {
  for (std::size_t r = 0; r < examples.size(); ++r) {
    const std::size_t example = examples[r];
    std::ranges::copy(dataset.inputs.row(example), out.inputs.row(r).begin());
    if (!dataset.labels.empty()) {
      out.labels[r] = dataset.labels[example];
    }
    if (!dataset.targets.empty()) {
      std::ranges::copy(dataset.targets.row(example), out.targets.row(r).begin());
    }
  }
}

}  // namespace

Batches::Batches(const Dataset& dataset, std::size_t batch, std::uint64_t seed)
    : dataset_(dataset), batch_(batch), seed_(seed), epoch_(kNoEpoch) {
  require(batch > 0 && dataset.inputs.rows() > 0, "batches: empty batch or data set");
}

std::size_t Batches::per_epoch() const {
  return (dataset_.inputs.rows() + batch_ - 1) / batch_;
}

std::size_t Batches::fill(std::size_t epoch, std::size_t index, Batch& out) {
  require(index < per_epoch(), "batches: no such batch in an epoch");
  if (epoch != epoch_) {
    order_ = order_of(dataset_, seed_, epoch);
    epoch_ = epoch;
  }
  make_room(dataset_, batch_, out);
  const std::size_t first = index * batch_;
  const std::size_t rows = std::min(batch_, order_.size() - first);
  gather(dataset_, std::span(order_).subspan(first, rows), out);
  return rows;
}

Batch sample(const Dataset& dataset, std::size_t count, std::uint64_t seed) {
  require(count <= dataset.inputs.rows(), "sample: more examples than the data set holds");
  Batch batch;
  make_room(dataset, count, batch);
  gather(dataset, std::span<const std::size_t>(order_of(dataset, seed, 0)).first(count), batch);
  return batch;
}

}  // namespace interpscale::data
