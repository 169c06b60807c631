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

/// He's initial weights, and biases such that each hidden unit is active on half of `sample`: its
/// bias is minus the median of its pre-activation. (Data-dependent initialisation as in Salimans &
/// Kingma 2016, with the median for the mean. Random biases leave narrow networks anywhere between
/// dead and linear, which would flatter whoever skips inactive units.)
[[nodiscard]] nn::Mlp<float> initialise_centred(const nn::Topology& topology, std::uint64_t seed,
                                                MatrixView<const float> sample,
                                                const kernels::Context<float>& context);

/// Trains one network for plan.training_steps steps of Adam, saves it, and says what came of it;
/// losses and accuracy are of the test examples, activity of the study's batch.
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
