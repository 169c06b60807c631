// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/layer_stack.hpp"

#include <algorithm>

#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {
namespace {

constexpr std::size_t kFloatsInALine = kCacheLineBytes / sizeof(float);

}  // namespace

LayerStack::LayerStack(const nn::Topology& topology, std::size_t rows, Workspace& workspace)
    : layers_(workspace.vector<MatrixView<float>>(topology.hidden.size())), rows_(rows) {
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    layers_[layer] = workspace.matrix<float>(rows, topology.hidden[layer]);
  }
}

LayerStack::LayerStack(nn::Tape<float>& tape, Workspace& workspace)
    : layers_(workspace.vector<MatrixView<float>>(tape.activations.size())), rows_(tape.batch) {
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    layers_[layer] = tape.activation(layer);
  }
}

LayerStack LayerStack::window(std::size_t first, std::size_t rows) const {
  require(first <= rows_ && rows <= rows_ - first, "rows outside the stack");
  LayerStack part = *this;
  part.first_ = first_ + first;
  part.rows_ = rows;
  return part;
}

std::uint64_t LayerStack::bytes(const nn::Topology& topology, std::size_t rows) {
  std::uint64_t total = tape_bytes(topology);
  for (const std::size_t width : topology.hidden) {
    total += matrix_bytes<float>(rows, width);
  }
  return total;
}

std::uint64_t LayerStack::tape_bytes(const nn::Topology& topology) {
  return vector_bytes<MatrixView<float>>(topology.hidden.size());
}

void clear(MatrixView<float> matrix) {
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    std::fill(matrix.row(i).begin(), matrix.row(i).end(), 0.0F);
  }
}

PingPong::PingPong(std::size_t rows, std::size_t widest, Workspace& workspace) {
  for (std::span<float>& half : halves_) {
    half = workspace.vector<float>(checked_product(rows, round_up(widest, kFloatsInALine)));
  }
}

MatrixView<float> PingPong::next(std::size_t rows, std::size_t cols) {
  const std::size_t leading = round_up(cols, kFloatsInALine);
  turn_ = 1 - turn_;
  require(checked_product(rows, leading) <= halves_[turn_].size(), "more scratch than was taken");
  return {halves_[turn_].data(), rows, cols, leading};
}

std::uint64_t PingPong::bytes(std::size_t rows, std::size_t widest) {
  return 2 * matrix_bytes<float>(rows, widest);
}

}  // namespace interpscale::methods::engine
