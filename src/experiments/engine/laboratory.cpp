// SPDX-License-Identifier: Apache-2.0
#include "interpscale/experiments/laboratory.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>
#include <vector>

#include "interpscale/data/batches.hpp"
#include "interpscale/data/fit.hpp"
#include "interpscale/data/idx.hpp"
#include "interpscale/data/safetensors.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/nn/training_step.hpp"
#include "interpscale/scaling/observation.hpp"

namespace interpscale::experiments {
namespace {

/// 28 x 28 pixels become 7 x 7.
constexpr std::size_t kPooling = 4;
constexpr std::size_t kBatch = 128;
constexpr double kRate = 2e-3;
constexpr double kBiasDeviation = 0.1;

using Clock = std::chrono::steady_clock;

/// Adds the seconds of its life to `total`.
class Stopwatch {
 public:
  explicit Stopwatch(double& total) : total_(total) {}
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() { total_ += std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  double& total_;
  Clock::time_point start_ = Clock::now();
};

}  // namespace

data::Dataset first_examples(const data::Dataset& dataset, std::size_t count) {
  data::Dataset result = dataset;
  const std::size_t kept = std::min(count, dataset.inputs.rows());
  result.inputs = Matrix<float>(kept, dataset.inputs.cols());
  copy(dataset.inputs.view().rows_from(0, kept), result.inputs.view());
  result.labels.resize(kept);
  return result;
}

Result<Laboratory> Laboratory::open(LaboratoryOptions options) {
  auto backend = kernels::make_backend<float>(options.backend, options.simd_target);
  if (!backend) {
    return tl::unexpected(backend.error());
  }
  Laboratory laboratory;
  laboratory.options_ = std::move(options);
  laboratory.backend_ = std::move(*backend);
  return laboratory;
}

Result<const data::Split*> Laboratory::images() {
  if (images_) {
    return &*images_;
  }
  const auto folder = data::find_dataset(options_.data);
  if (!folder) {
    return tl::unexpected(folder.error());
  }
  Result<data::Split> whole = data::load_idx_folder(*folder);
  if (!whole) {
    return tl::unexpected(whole.error());
  }
  Result<data::Dataset> train = data::pooled(whole->train, kPooling);
  Result<data::Dataset> test = data::pooled(whole->test, kPooling);
  if (!train || !test) {
    return tl::unexpected(train ? test.error() : train.error());
  }
  data::Split split{first_examples(*train, scale().training_examples),
                    first_examples(*test, scale().test_examples)};
  data::standardise(split);
  images_ = std::move(split);
  return &*images_;
}

Result<const data::Dataset*> Laboratory::fit_examples() {
  if (!fit_examples_) {
    const Result<const data::Split*> split = images();
    if (!split) {
      return tl::unexpected(split.error());
    }
    fit_examples_ = first_examples((*split)->train, scale().fit_examples);
  }
  return &*fit_examples_;
}

void Laboratory::train(nn::Mlp<float>& network, const data::Dataset& dataset,
                       std::uint64_t stream) {
  const Stopwatch stopwatch(preparation_seconds_);
  data::train(network, dataset,
              {.epochs = scale().training_epochs,
               .batch = kBatch,
               .peak_rate = kRate,
               .seed = stream,
               .threads = options_.training_threads},
              *backend_);
}

Result<nn::Mlp<float>> Laboratory::network(std::size_t width, int seed, std::size_t depth) {
  const std::size_t layers = depth == 0 ? scale().depth : depth;
  const std::filesystem::path file =
      options_.folder / fmt::format("images-w{}-l{}-s{}.safetensors", width, layers, seed);
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    const Stopwatch stopwatch(preparation_seconds_);
    return data::load_network(file, kernels::Activation::kRelu);
  }
  const Result<const data::Split*> split = images();
  if (!split) {
    return tl::unexpected(split.error());
  }
  const data::Dataset& train = (*split)->train;
  const std::uint64_t stream = options_.seed * 1000 + static_cast<std::uint64_t>(seed);
  nn::Mlp<float> network =
      nn::initialise_he<float>({.inputs = train.inputs.cols(),
                                .hidden = std::vector<std::size_t>(layers, width),
                                .outputs = train.classes,
                                .activation = kernels::Activation::kRelu},
                               stream, kBiasDeviation);
  this->train(network, train, stream);
  if (Result<void> saved = data::save_network(network, file); !saved) {
    return tl::unexpected(saved.error());
  }
  return network;
}

Result<double> Laboratory::training_step_seconds(const nn::Mlp<float>& network) {
  const Result<const data::Split*> split = images();
  if (!split) {
    return tl::unexpected(split.error());
  }
  return training_step_seconds(network, (*split)->train);
}

double Laboratory::training_step_seconds(const nn::Mlp<float>& network,
                                         const data::Dataset& dataset) {
  constexpr int kSlices = 9;
  constexpr int kStepsOfSlice = 8;
  const data::Batch batch = data::sample(dataset, kBatch, options_.seed);
  const bool labelled = !batch.labels.empty();
  nn::Targets<float> targets;
  if (labelled) {
    targets.labels = batch.labels;
  } else {
    targets.values = batch.targets;
  }
  nn::Mlp<float> trained = network;
  nn::TrainingStep<float> step(network.topology, kBatch,
                               labelled ? nn::Loss::kCrossEntropy : nn::Loss::kMeanSquaredError,
                               {});
  std::vector<double> slices;
  for (int slice = 0; slice <= kSlices; ++slice) {
    const Clock::time_point start = Clock::now();
    for (int s = 0; s < kStepsOfSlice; ++s) {
      // Without a rate the work is the same, and the network stays.
      static_cast<void>(step.run(trained, batch.inputs, targets, 0.0, context()));
    }
    if (slice > 0) {  // the first one warms up
      slices.push_back(std::chrono::duration<double>(Clock::now() - start).count() / kStepsOfSlice);
    }
  }
  return scaling::median(slices);
}

std::size_t Laboratory::training_steps() const {
  const std::size_t per_epoch = (scale().training_examples + kBatch - 1) / kBatch;
  return per_epoch * scale().training_epochs;
}

}  // namespace interpscale::experiments
