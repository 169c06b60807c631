// A network whose edges are removed one by one where its outputs hardly notice: the decisions of
// greedy pruning, and what they are made on.
//
// A variant proposes an edge and brings the logits without it, in single precision. Where the rise
// of the divergence is nearer to the threshold than rounding can tell, it is computed again in
// double precision, in the order of operations of the method's reference: so every variant makes
// the reference's decisions, and does not drift from it after one that went the other way.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"
#include "interpscale/methods/probe.hpp"

namespace interpscale::methods::engine {

/// sum_c p_c (log p_c - log q_c), p and q the softmax of two rows of logits.
[[nodiscard]] double divergence(std::span<const double> original, std::span<const double> pruned);

/// An edge goes where the divergence rises by less than the threshold, or not at all.
[[nodiscard]] inline bool is_removed(double rise, double threshold) {
  return rise < threshold || rise <= 0.0;
}

class Circuit {
 public:
  /// All edges there. Takes a copy of the weights, and what exact divergences need, from the
  /// context's workspace.
  Circuit(const Probe<float>& probe, const kernels::Context<float>& context);

  /// Weights of layer l in [0, L], removed edges at zero.
  [[nodiscard]] MatrixView<const float> weights(std::size_t layer) const { return weights_[layer]; }

  /// Edges of `layer` are next; those of the layers below it are all there until the end of it.
  void enter(std::size_t layer);
  /// Sets the edge's weight to zero and returns what it was.
  float propose(std::size_t unit, std::size_t input);
  /// Decides on the proposal by the logits [B, C] that follow from it; puts the weight back where
  /// the edge stays. True: removed.
  bool decide(MatrixView<const float> logits);

  /// Decisions so far, and those of them that took double precision.
  [[nodiscard]] std::uint64_t decisions() const { return decisions_; }
  [[nodiscard]] std::uint64_t settled() const { return settled_; }

  /// Of one decision: what kernels count. Double precision is not theirs, and is not in it: a pass
  /// in the constructor, two more spread over layers and units, and the few decisions that need it.
  [[nodiscard]] static kernels::Flops decision_flops(const Problem& problem);
  [[nodiscard]] static std::uint64_t scratch_bytes(const Problem& problem);

 private:
  /// A divergence, and how far it may be from the exact one.
  struct Estimate {
    double value = 0;
    double error = 0;
  };

  [[nodiscard]] Estimate estimate(MatrixView<const float> logits);
  [[nodiscard]] double exact();
  /// Activations, or logits, of unit_ of layer_ on every sample.
  void exact_unit(std::span<double> values) const;
  /// Its edges are decided: above_ takes what it has become.
  void leave_unit();
  /// h := phi(W below + b) for one sample, or W below + b for the read-out.
  void exact_layer(std::size_t layer, std::span<const double> below, std::span<double> h) const;

  const Probe<float>& probe_;
  const kernels::Context<float>& context_;
  std::span<MatrixView<float>> weights_;
  std::span<MatrixView<double>> below_;  // exact activations below layer l, all edges there
  MatrixView<double> log_probability_;   // of the whole network's classes, [B, C]
  MatrixView<double> probability_;
  MatrixView<double> above_;       // exact results of layer_; unit_'s as of the last `exact`
  std::span<double> unit_values_;  // scratch of `exact`, [B]
  MatrixView<float> targets_;      // the same in single precision
  double mean_log_ = 0;            // mean_b sum_c p log p
  std::span<double> first_;        // scratch of `exact_layer`, [widest]
  std::span<double> second_;
  std::span<float> losses_;
  std::span<float> magnitudes_;
  double rounding_;  // relative, of a logit
  std::size_t layer_ = 0;
  std::size_t unit_ = 0;
  std::size_t input_ = 0;
  float weight_ = 0;
  Estimate now_;  // of the circuit as it stands
  std::uint64_t decisions_ = 0;
  std::uint64_t settled_ = 0;
};

}  // namespace interpscale::methods::engine
