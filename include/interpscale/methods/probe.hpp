// What a method is handed, and the problem that its cost is a function of.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/kernels/backend.hpp"
#include "interpscale/nn/mlp.hpp"
#include "interpscale/nn/tape.hpp"

namespace interpscale::methods {

/// What an effect is measured on: the target output F = y_t (t = the label), or the loss.
enum class Metric { kMethodDefault, kTarget, kLoss };

struct MethodOptions {
  int steps = 32;                          ///< K, nodes of a path
  Metric metric = Metric::kMethodDefault;  ///< of effects
  bool absolute = false;                   ///< mean of absolute values over samples, where offered
  std::size_t workspace_bytes = std::size_t{64} << 20;  ///< tiles are chosen to fit this
  int permutations = 25;                                ///< T, of sampled orders
  int examples = 10;                                    ///< k, most activating samples kept
  int starts = 2;                                       ///< of an ascent
  double radius = 1;                                    ///< r, of the ball an ascent stays in
  double ridge = 1e-2;           ///< of a probe's normal equations, times their mean diagonal
  double epsilon = 1e-2;         ///< of LRP's denominators: small beside z of order one
  double threshold = 1e-2;       ///< tau, the rise of KL that an edge's removal may cost
  double rate = 1e-2;            ///< eta, learning rate of traced training
  int latents_per_unit = 4;      ///< r, a dictionary's latents over its layer's width
  int active_latents = 8;        ///< k, latents a sample may use
  int dictionary_steps = 50;     ///< training steps of a dictionary
  double dictionary_rate = 0.2;  ///< learning rate of a dictionary, activations of mean square 1
  std::uint64_t seed = 1;        ///< of everything drawn
  bool edges = false;            ///< the score of every edge beside their summaries, where offered
  /// Of every layer, only the first so many neurons; 0: all. Of methods that walk for each neuron,
  /// whatever the batch: others do not look at it.
  std::size_t neurons_per_layer = 0;
  /// Hidden layers (from 0) whose rows are wanted; empty: all. What a method does with the rows of
  /// the others is its own choice: it may leave them alone, and save their work.
  std::vector<std::size_t> layers = {};
};

/// One network, one batch. All views outlive the call.
template <class T>
struct Probe {
  const nn::Mlp<T>& network;
  MatrixView<const T> inputs;             ///< x [B, d]
  std::span<const std::uint32_t> labels;  ///< [B], in [0, C)
  MatrixView<const T> baseline;           ///< x' [1, d], or empty for zeros
  MatrixView<const T> donor;              ///< counterfactual inputs [B, d], or empty
  MethodOptions options;
  nn::Tape<T>&
      tape;  ///< buffers for B samples; a method fills them itself (that is part of its cost)
  /// A data set [D, d] and its labels [D], streamed in blocks of B samples by the methods that look
  /// at one; empty: the batch is the data set.
  MatrixView<const T> dataset = {};
  std::span<const std::uint32_t> dataset_labels = {};

  [[nodiscard]] MatrixView<const T> streamed_inputs() const {
    return dataset.empty() ? inputs : dataset;
  }
  [[nodiscard]] std::span<const std::uint32_t> streamed_labels() const {
    return dataset.empty() ? labels : dataset_labels;
  }
};

/// Everything a method's cost depends on.
struct Problem {
  nn::Topology topology;
  std::size_t batch = 0;  ///< B
  MethodOptions options;
  /// Per hidden layer: (sample, neuron) pairs with h > 0 on the batch. Empty: as if all were.
  std::vector<std::uint64_t> active_pairs = {};
  double output_scale = 1;    ///< the largest |logit| on the batch, for tolerances
  bool has_baseline = false;  ///< a baseline other than zeros costs a product
  std::size_t dataset = 0;    ///< D; 0: the batch is the data set
  /// Per hidden layer: (sample, neuron) pairs whose activation is not the donor's. Empty: as if all
  /// were.
  std::vector<std::uint64_t> differing_pairs = {};
  /// Per hidden layer: (sample, two neurons) with both active. Empty: as if all were.
  std::vector<std::uint64_t> active_couples = {};
  /// Per hidden layer but the last: (sample, unit active, unit of the next active). Empty: as if
  /// all samples had the same number of active pairs. So too with units that differ from the
  /// donor's, and an active one of the next.
  std::vector<std::uint64_t> active_links = {};
  std::vector<std::uint64_t> differing_links = {};
  /// Pairs and links over all nodes of a Gauss-Legendre rule on the path from the baseline, of a
  /// ReLU network. Empty: as if every node were the batch itself.
  std::vector<std::uint64_t> path_pairs = {};
  std::vector<std::uint64_t> path_links = {};

  /// D, or B where the batch is the data set.
  [[nodiscard]] std::size_t streamed_samples() const { return dataset == 0 ? batch : dataset; }
};

/// The problem that a probe poses. Reads the probe's tape, which the caller has filled by a forward
/// pass of `probe.inputs`; counts its positive activations and finds its largest logit: O(B n).
/// Without the pairs that differ from a donor and without the path.
template <class T>
[[nodiscard]] Problem problem_of(const Probe<T>& probe);

/// The same, complete: makes the passes itself, of the inputs into the probe's tape, and of the
/// donor, where there is one, into a tape of its own, and of the path's nodes.
template <class T>
[[nodiscard]] Problem problem_of(const Probe<T>& probe, const kernels::Context<T>& context);

}  // namespace interpscale::methods
