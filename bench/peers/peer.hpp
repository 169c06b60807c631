// What a library must offer to be compared with our kernels: products prepared for given operands,
// and, where someone would write it in an afternoon, a training step. One source file a library
// defines `make_peer`; each is an executable of its own, so that thread pools do not disturb each
// other and no BLAS hides another's symbols.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/kernels/gemm.hpp"
#include "interpscale/nn/mlp.hpp"
#include "interpscale/nn/optimizer.hpp"

namespace interpscale::bench::peers {

using Work = std::function<void()>;

/// C := op(A) op(B), row-major, leading dimensions as they come; shapes as in kernels/gemm.hpp.
struct Operands {
  kernels::GemmCase which;
  MatrixView<const float> a;
  MatrixView<const float> b;
  MatrixView<float> c;

  [[nodiscard]] kernels::GemmShape shape() const {
    return kernels::gemm_shape<float>(which, a, b, c, {});
  }
};

/// What a training step starts from: ReLU layers, mean cross-entropy over the batch, and SGD
/// without momentum or Adam with its usual constants.
struct TrainingProblem {
  nn::Mlp<float> network;
  MatrixView<const float> inputs;         ///< [B, d]
  std::span<const std::uint32_t> labels;  ///< [B]
  float rate = 0;
  nn::OptimizerKind optimizer = nn::OptimizerKind::kSgd;
};

class Trainer {
 public:
  Trainer() = default;
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;
  virtual ~Trainer() = default;

  /// Forward, loss, backward, update.
  virtual void step() = 0;
  /// The parameters as they now are.
  [[nodiscard]] virtual nn::Mlp<float> network() const = 0;
};

struct Peer {
  std::string name;     ///< "openblas"
  std::string version;  ///< the library's own words
  std::string setup;    ///< how it is used here
  /// Everything that need be done only once for these operands; empty where the library turns out
  /// to have nothing for them.
  std::function<Work(const Operands&)> prepare_product;
  /// Products with a larger extent than this are not what the library is meant for.
  std::size_t largest_extent = std::numeric_limits<std::size_t>::max();
  /// The optimizers that its training step has; none: it has no training step.
  std::vector<nn::OptimizerKind> optimizers = {};
  std::function<std::unique_ptr<Trainer>(const TrainingProblem&)> make_trainer = nullptr;
  /// Its threads are those of OpenMP's run-time, which can be pinned from outside.
  bool uses_openmp = true;
};

/// Prepares the library for `threads` threads. Throws where it has no use for so many.
[[nodiscard]] Peer make_peer(int threads);

}  // namespace interpscale::bench::peers
