// The products and training steps that peers are compared on, as benchmark entries.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "bench/grid.hpp"
#include "bench/peers/peer.hpp"
#include "interpscale/kernels/gemm.hpp"

namespace interpscale::bench::peers {

struct Product {
  kernels::GemmCase which;
  kernels::GemmShape shape;

  /// "gemm/nt/m:128/n:256/k:256"
  [[nodiscard]] std::string name() const;
};

/// 64 inputs, three hidden layers of `width`, ten classes, a batch of 128.
struct Training {
  nn::OptimizerKind optimizer;
  std::size_t width;

  /// "training_step/sgd/w:256"
  [[nodiscard]] std::string name() const;
  /// Of the matrix products alone: 6 x weights x B - 2 d w B.
  [[nodiscard]] std::uint64_t product_flops() const;
};

/// Layers of 32 to 512 rows, squares up to 4096, ragged cubes, ten columns, one and eight rows, in
/// the three transposition cases; each once.
[[nodiscard]] std::vector<Product> all_products();
[[nodiscard]] std::vector<Training> all_trainings();

/// What the peer offers of them. Products are verified against sums in double precision on some
/// rows; a training step by one step of a network of at most 64 units a layer, against the
/// reference backend in double precision.
[[nodiscard]] std::vector<GridEntry> make_peer_grid(const Peer& peer);

}  // namespace interpscale::bench::peers
