// Activations along the straight path from the baseline to the inputs. The first pre-activation is
// linear in the position, z_1(t) = z_1(x') + t (z_1(x) - z_1(x')): two products with the inputs
// serve all nodes. Several nodes' batches are stacked into one product a layer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"
#include "interpscale/methods/probe.hpp"
#include "methods/engine/layer_stack.hpp"

namespace interpscale::methods::engine {

/// The two ends of a path in the first layer's pre-activations.
class FirstLayerPath {
 public:
  /// Takes two [B, w_1] matrices from the context's workspace.
  FirstLayerPath(const Probe<float>& probe, const kernels::Context<float>& context);

  /// h := phi(z_1(t)), [B, w_1].
  void activations_at(float t, MatrixView<float> h) const;

  /// Of the constructor, and of `activations_at` for one node.
  [[nodiscard]] static kernels::Flops ends_flops(const Problem& problem);
  [[nodiscard]] static kernels::Flops node_flops(const Problem& problem);
  [[nodiscard]] static std::uint64_t scratch_bytes(const Problem& problem);

 private:
  kernels::Activation phi_;
  const kernels::Context<float>& context_;
  MatrixView<float> from_;  // z_1(x'), the same in every row
  MatrixView<float> to_;    // z_1(x)
};

/// What a loop over single passes does at a node: its inputs, and a whole forward pass into the
/// probe's tape.
class PathPasses {
 public:
  /// Takes two [B, d] matrices from the context's workspace.
  PathPasses(const Probe<float>& probe, const kernels::Context<float>& context);

  void forward(double t);

  [[nodiscard]] static kernels::Flops forward_flops(const Problem& problem);
  [[nodiscard]] static std::uint64_t scratch_bytes(const Problem& problem);

 private:
  const Probe<float>& probe_;
  const kernels::Context<float>& context_;
  MatrixView<float> from_;   // x' in every row
  MatrixView<float> point_;  // x' + t (x - x')
};

/// How many nodes of a path to stack, for `batch` samples: enough rows to fill a matrix product,
/// few enough for the caches.
[[nodiscard]] std::size_t stacked_nodes(std::size_t batch, std::size_t nodes);

}  // namespace interpscale::methods::engine
