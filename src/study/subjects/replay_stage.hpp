// What replays of kernel calls are made of: operands as far from their last touch as the recorded
// ones were.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/core/random.hpp"
#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/kernel_call.hpp"

namespace interpscale::study {

/// Copies of one operand, taken in turn.
class Ring {
 public:
  Ring(std::size_t rows, std::size_t cols, std::size_t bytes_between) : rows_(rows) {
    const std::size_t bytes = std::max<std::size_t>(rows * cols * sizeof(float), 1);
    copies_ = 1 + bytes_between / bytes;
    all_ = Matrix<float>(checked_product(copies_, rows), cols);
  }
  [[nodiscard]] MatrixView<float> take() {
    turn_ = turn_ + 1 == copies_ ? 0 : turn_ + 1;
    return all_.view().rows_from(turn_ * rows_, rows_);
  }
  [[nodiscard]] std::span<float> take_vector() { return take().row(0); }
  [[nodiscard]] MatrixView<float> all() { return all_.view(); }

 private:
  std::size_t rows_;
  std::size_t copies_ = 1;
  std::size_t turn_ = 0;
  Matrix<float> all_;
};

/// What a replay is made of: the call, and operands filled with uniform numbers on (-1, 1), so that
/// half of them are positive.
class Stage {
 public:
  explicit Stage(const kernels::KernelCall& call) : call_(call) {}

  [[nodiscard]] std::size_t extent(std::size_t i) const { return call_.extents[i]; }
  [[nodiscard]] bool has(std::string_view what) const {
    return call_.variant.find(what) != std::string::npos;
  }
  [[nodiscard]] kernels::Activation activation() const {
    const std::size_t end = std::min(call_.variant.find('+'), call_.variant.size());
    return kernels::parse_activation(call_.variant.substr(0, end)).value();
  }
  /// Operand number `operand` of the recorded call.
  [[nodiscard]] std::shared_ptr<Ring> matrix(std::size_t operand, std::size_t rows,
                                             std::size_t cols) {
    auto ring = std::make_shared<Ring>(rows, cols, kernels::reuse_bytes(call_.reuse[operand]));
    constexpr std::uint64_t kSeed = 2;
    const RandomStream stream(kSeed, operand);
    std::uint64_t index = 0;
    for (std::size_t i = 0; i < ring->all().rows(); ++i) {
      for (float& value : ring->all().row(i)) {
        value = static_cast<float>(2.0 * stream.uniform(index++) - 1.0);
      }
    }
    rings_.push_back(ring);
    return ring;
  }
  [[nodiscard]] std::shared_ptr<Ring> vector(std::size_t operand, std::size_t size) {
    return matrix(operand, 1, size);
  }
  [[nodiscard]] std::vector<std::shared_ptr<Ring>> rings() const { return rings_; }

 private:
  const kernels::KernelCall& call_;
  std::vector<std::shared_ptr<Ring>> rings_;
};

using Replay = std::function<void(const kernels::Context<float>&)>;

/// 0, 1, ..., classes - 1, 0, 1, ...
inline std::vector<std::uint32_t> cyclic_labels(std::size_t rows, std::size_t classes) {
  std::vector<std::uint32_t> labels(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    labels[i] = static_cast<std::uint32_t>(i % classes);
  }
  return labels;
}

/// How an operation is replayed, and how many extents and operands its record has.
struct Recipe {
  std::size_t extents;
  std::size_t operands;
  Replay (*make)(Stage&);
};

using Recipes = std::map<std::string_view, Recipe>;

/// Of the operations that analyses need beside those of passes.
[[nodiscard]] const Recipes& analysis_recipes();

}  // namespace interpscale::study
