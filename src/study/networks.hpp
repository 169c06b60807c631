// The networks of a study: trained once, kept as files, loaded by whoever times them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "interpscale/core/result.hpp"
#include "interpscale/data/batches.hpp"
#include "interpscale/data/dataset.hpp"
#include "interpscale/study/plan.hpp"
#include "interpscale/study/records.hpp"
#include "interpscale/study/subjects.hpp"

namespace interpscale::study {

[[nodiscard]] std::filesystem::path network_file(const std::filesystem::path& folder,
                                                 const std::string& topology);
[[nodiscard]] std::filesystem::path batch_file(const std::filesystem::path& folder,
                                               std::size_t inputs);
/// The topology that a cell was measured on.
[[nodiscard]] nn::Topology topology_of(const CellRecord& cell);

/// Moves the hidden biases, first layer first, so that each unit is active on half of `sample`: its
/// pre-activation's median becomes 0. (Data-dependent biases as in Salimans & Kingma 2016, with the
/// median for the mean. Random ones leave narrow networks anywhere between dead and linear, which
/// would flatter whoever skips inactive units.)
void centre_biases(MatrixView<const float> sample, const kernels::Context<float>& context,
                   nn::Mlp<float>& network);

/// Trains one network, saves it, and says what came of it; losses and accuracy are of the test
/// examples, activity of the study's batch.
///
/// He's initial weights, centred biases, plan.training_steps steps of Adam. Training drifts: after
/// 60 steps a wide layer is active on 39 % of the pairs, a narrow one on as little as 3 %. So after
/// two thirds of the steps the biases are centred again, and the rest run at a tenth of the rate.
[[nodiscard]] Result<NetworkRecord> train_network(const nn::Topology& topology,
                                                  const data::Split& split, const Plan& plan,
                                                  const std::filesystem::path& folder);

/// Networks and batches of a study's folder, each loaded when first asked for. One thread.
class Specimens {
 public:
  Specimens(std::filesystem::path folder, const std::vector<NetworkRecord>& networks);
  [[nodiscard]] Result<std::shared_ptr<const Specimen>> of(const nn::Topology& topology);
  /// (sample, neuron) pairs with h > 0, per hidden layer.
  [[nodiscard]] const std::vector<std::uint64_t>& active_pairs(const std::string& topology) const;

 private:
  std::filesystem::path folder_;
  std::map<std::string, std::vector<std::uint64_t>> active_pairs_;
  std::map<std::string, std::shared_ptr<const Specimen>> loaded_;
};

}  // namespace interpscale::study
