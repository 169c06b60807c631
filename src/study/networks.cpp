// SPDX-License-Identifier: Apache-2.0
#include "study/networks.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "interpscale/data/fit.hpp"
#include "interpscale/data/safetensors.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/nn/passes.hpp"
#include "study/networks_data.hpp"

namespace interpscale::study {
namespace {

namespace fs = std::filesystem;

/// Examples that fix the initial biases.
constexpr std::size_t kCentringExamples = 512;
constexpr double kPeakRate = 1e-3;
constexpr double kSettlingRate = kPeakRate / 10;

/// Moves the biases of hidden layer `layer` so that each of its units is active on half the sample.
void centre_layer(std::size_t layer, MatrixView<const float> pre_activations,
                  nn::Mlp<float>& network) {
  std::vector<float> column(pre_activations.rows());
  const auto middle = column.begin() + static_cast<std::ptrdiff_t>(column.size() / 2);
  for (std::size_t unit = 0; unit < pre_activations.cols(); ++unit) {
    for (std::size_t i = 0; i < column.size(); ++i) {
      column[i] = pre_activations(i, unit);
    }
    std::nth_element(column.begin(), middle, column.end());
    network.layers[layer].bias[unit] -= *middle;
  }
}

std::vector<std::uint64_t> count_active(const nn::Tape<float>& tape) {
  std::vector<std::uint64_t> counts;
  for (std::size_t layer = 0; layer < tape.activations.size(); ++layer) {
    const MatrixView<const float> h = tape.activation(layer);
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < h.rows(); ++i) {
      count += static_cast<std::uint64_t>(
          std::count_if(h.row(i).begin(), h.row(i).end(), [](float value) { return value > 0; }));
    }
    counts.push_back(count);
  }
  return counts;
}

/// Trains for exactly `steps` steps, over as many epochs as that takes.
void train_for(std::size_t steps, double peak_rate, std::uint64_t seed, const data::Dataset& train,
               std::size_t batch, const kernels::Backend<float>& backend, nn::Mlp<float>& network) {
  if (steps == 0) {
    return;
  }
  const std::size_t per_epoch = (train.inputs.rows() + batch - 1) / batch;
  data::FitOptions options;
  options.epochs = (steps + per_epoch - 1) / per_epoch;
  options.batch = batch;
  options.peak_rate = peak_rate;
  options.seed = seed;
  data::train(network, train, options, backend,
              [steps](const data::FitProgress& progress) { return progress.step < steps; });
}

}  // namespace

fs::path network_file(const fs::path& folder, const std::string& topology) {
  std::string name = topology;
  std::replace(name.begin(), name.end(), '/', '_');
  return folder / "networks" / (name + ".safetensors");
}

fs::path batch_file(const fs::path& folder, std::size_t inputs) {
  return folder / "networks" / fmt::format("batch_{}.cbor", inputs);
}

nn::Topology topology_of(const CellRecord& cell) {
  return {.inputs = cell.quantities.inputs,
          .hidden = std::vector<std::size_t>(cell.depth, cell.width),
          .outputs = kStudyClasses,
          .activation = kernels::Activation::kRelu};
}

void centre_biases(MatrixView<const float> sample, const kernels::Context<float>& context,
                   nn::Mlp<float>& network) {
  nn::Tape<float> tape(network.topology, sample.rows(), true);
  for (std::size_t layer = 0; layer < network.topology.hidden.size(); ++layer) {
    nn::forward(network, sample, tape, context);
    centre_layer(layer, tape.pre_activations[layer], network);
  }
}

Result<NetworkRecord> train_network(const nn::Topology& topology, const data::Split& split,
                                    const Plan& plan, const fs::path& folder) {
  const auto backend = kernels::make_backend<float>(plan.backend, plan.simd_target);
  if (!backend) {
    return tl::unexpected(backend.error());
  }
  const data::Batch batch = study_batch(split.test, plan);
  const auto start = std::chrono::steady_clock::now();
  Workspace workspace;
  const kernels::Context<float> context(**backend, 1, workspace);
  const MatrixView<const float> sample = split.train.inputs.view().rows_from(
      0, std::min(kCentringExamples, split.train.inputs.rows()));
  nn::Mlp<float> network = nn::initialise_he<float>(topology, plan.seed);
  centre_biases(sample, context, network);
  NetworkRecord record;
  record.topology = topology.name();
  record.loss_before = data::evaluate(network, split.test, context).loss;
  const auto steps = static_cast<std::size_t>(plan.training_steps);
  const std::size_t settling = steps / 3;
  train_for(steps - settling, kPeakRate, plan.seed, split.train, plan.batch, **backend, network);
  centre_biases(sample, context, network);
  train_for(settling, kSettlingRate, plan.seed + 1, split.train, plan.batch, **backend, network);
  const data::Evaluation after = data::evaluate(network, split.test, context);
  record.loss_after = after.loss;
  record.test_accuracy = after.accuracy;
  nn::Tape<float> tape(topology, plan.batch);
  nn::forward<float>(network, batch.inputs, tape, context);
  record.active_pairs = count_active(tape);
  for (std::size_t layer = 0; layer < record.active_pairs.size(); ++layer) {
    record.active_share.push_back(static_cast<double>(record.active_pairs[layer]) /
                                  static_cast<double>(plan.batch * topology.hidden[layer]));
  }
  record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (const Result<void> saved = data::save_network(network, network_file(folder, record.topology));
      !saved) {
    return tl::unexpected(saved.error());
  }
  return record;
}

Specimens::Specimens(fs::path folder, const std::vector<NetworkRecord>& networks)
    : folder_(std::move(folder)) {
  for (const NetworkRecord& network : networks) {
    active_pairs_[network.topology] = network.active_pairs;
  }
}

Result<std::shared_ptr<const Specimen>> Specimens::of(const nn::Topology& topology) {
  std::shared_ptr<const Specimen>& specimen = loaded_[topology.name()];
  if (specimen) {
    return specimen;
  }
  const fs::path path = network_file(folder_, topology.name());
  Result<nn::Mlp<float>> network = data::load_network(path, topology.activation);
  if (!network) {
    return tl::unexpected(network.error());
  }
  if (!(network->topology == topology)) {
    return fail("{}: holds the network {}, wanted {}", path.string(), network->topology.name(),
                topology.name());
  }
  Result<data::Batch> batch = load_batch(batch_file(folder_, topology.inputs));
  if (!batch) {
    return tl::unexpected(batch.error());
  }
  specimen = std::make_shared<const Specimen>(
      Specimen{std::move(*network), std::move(batch->inputs), std::move(batch->labels),
               active_pairs(topology.name())});
  return specimen;
}

const std::vector<std::uint64_t>& Specimens::active_pairs(const std::string& topology) const {
  const auto found = active_pairs_.find(topology);
  require(found != active_pairs_.end(), "a specimen of a network that the journal does not hold");
  return found->second;
}

}  // namespace interpscale::study
