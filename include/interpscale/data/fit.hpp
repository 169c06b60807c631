// Training over a data set: epochs of mini-batches under a learning-rate schedule that is fixed
// before the first step, and evaluation of the result.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "interpscale/data/dataset.hpp"
#include "interpscale/kernels/backend.hpp"
#include "interpscale/nn/mlp.hpp"
#include "interpscale/nn/optimizer.hpp"

namespace interpscale::data {

enum class Schedule {
  kConstant,
  kWarmupCosine,  ///< linear to the peak, then half a cosine to zero
};

/// Everything a training depends on besides network, data and backend.
struct FitOptions {
  std::size_t epochs = 12;
  std::size_t batch = 128;
  double peak_rate = 1e-3;
  Schedule schedule = Schedule::kWarmupCosine;
  double warmup_fraction = 0.05;  ///< of all steps
  nn::OptimizerOptions optimizer = {.kind = nn::OptimizerKind::kAdam};
  std::uint64_t seed = 1;  ///< of the examples' order
  int threads = 1;
};

/// Where a training stands, after one step.
struct FitProgress {
  std::size_t epoch;  ///< from 0
  std::size_t step;   ///< steps done so far, from 1
  std::size_t steps;  ///< of the whole training
  double loss;        ///< mean over the step's batch, before its update
  double learning_rate;
};

/// What a training came to.
struct FitResult {
  std::size_t steps = 0;         ///< done: fewer than planned only where the callback stopped it
  double first_loss = 0.0;       ///< of the first batch, before any update
  double last_epoch_loss = 0.0;  ///< mean over the steps of the last epoch entered
};

/// Called after each step; `false` ends the training.
using FitCallback = std::function<bool(const FitProgress&)>;

/// The learning rate of step `step` in [0, steps). With w = round(warmup_fraction steps):
/// peak (step + 1) / w for step < w, then peak (1 + cos(pi (step - w) / (steps - w))) / 2.
[[nodiscard]] double learning_rate(const FitOptions& options, std::size_t step, std::size_t steps);

/// Trains `network` on a data set of its inputs and outputs: cross-entropy where the data set has
/// labels, squared error where it has targets. Nothing but `dataset` is looked at. Bits depend on
/// neither `threads` nor the callback.
FitResult train(nn::Mlp<float>& network, const Dataset& dataset, const FitOptions& options,
                const kernels::Backend<float>& backend, const FitCallback& progress = {});

struct Evaluation {
  double loss = 0.0;      ///< mean over all examples
  double accuracy = 0.0;  ///< share of labels that are the largest output; 0 without labels
};

/// Loss (as in `train`) and accuracy over a whole data set, in chunks of 1024 examples.
[[nodiscard]] Evaluation evaluate(const nn::Mlp<float>& network, const Dataset& dataset,
                                  const kernels::Context<float>& context);

}  // namespace interpscale::data
