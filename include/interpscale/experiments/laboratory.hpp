// What the pieces of experiments share: data, trained networks, a backend.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "interpscale/core/result.hpp"
#include "interpscale/core/workspace.hpp"
#include "interpscale/data/dataset.hpp"
#include "interpscale/experiments/argument.hpp"
#include "interpscale/kernels/backend.hpp"
#include "interpscale/nn/mlp.hpp"

namespace interpscale::experiments {

struct LaboratoryOptions {
  ArgumentScale scale;
  std::string data = "fashion-mnist";  ///< a name or folder of IDX images
  std::filesystem::path folder;        ///< where trained networks are kept; must exist
  std::string backend = "simd";
  std::string simd_target = {};
  int training_threads = 1;  ///< of trainings, which are not timed; all else is on one
  std::uint64_t seed = 1;
};

/// Pieces run one after the other: what they time has the machine to itself.
class Laboratory {
 public:
  [[nodiscard]] static Result<Laboratory> open(LaboratoryOptions options);

  [[nodiscard]] const ArgumentScale& scale() const { return options_.scale; }
  [[nodiscard]] std::uint64_t seed() const { return options_.seed; }
  /// One thread, the study's backend.
  [[nodiscard]] kernels::Context<float> context() { return {*backend_, 1, *workspace_}; }

  /// Images pooled to 49 pixels, standardised, cut to the scale's examples: loaded once.
  [[nodiscard]] Result<const data::Split*> images();
  /// The first `fit_examples` of the training half, for surrogates.
  [[nodiscard]] Result<const data::Dataset*> fit_examples();

  /// 49-w-...-w-10 of so many hidden layers (0: the scale's depth), ReLU, trained by Adam to the
  /// scale's epochs, the order and the initial weights from the seed index; read from its file
  /// where it has been trained before.
  [[nodiscard]] Result<nn::Mlp<float>> network(std::size_t width, int seed, std::size_t depth = 0);
  /// Trains by Adam under the schedule of those networks; `stream` orders the examples.
  void train(nn::Mlp<float>& network, const data::Dataset& dataset, std::uint64_t stream);
  /// Seconds that trainings, and the networks read in their stead, have taken so far: no part of
  /// what an experiment costs.
  [[nodiscard]] double preparation_seconds() const { return preparation_seconds_; }
  /// Seconds of one training step of that network on a batch of 128 by SGD with momentum, one
  /// thread, the median of several slices: what costs are held against.
  [[nodiscard]] Result<double> training_step_seconds(const nn::Mlp<float>& network);
  /// The same on 128 examples of any data set.
  [[nodiscard]] double training_step_seconds(const nn::Mlp<float>& network,
                                             const data::Dataset& dataset);
  /// Steps of a whole training of these networks.
  [[nodiscard]] std::size_t training_steps() const;

 private:
  Laboratory() = default;

  LaboratoryOptions options_;
  std::unique_ptr<kernels::Backend<float>> backend_;
  std::unique_ptr<Workspace> workspace_ = std::make_unique<Workspace>();
  std::optional<data::Split> images_;
  std::optional<data::Dataset> fit_examples_;
  double preparation_seconds_ = 0;
};

/// The first `count` examples of a labelled data set, or all.
[[nodiscard]] data::Dataset first_examples(const data::Dataset& dataset, std::size_t count);

}  // namespace interpscale::experiments
