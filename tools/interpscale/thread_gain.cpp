// SPDX-License-Identifier: Apache-2.0
#include "interpscale/thread_gain.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "interpscale/core/random.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/measure/binding.hpp"
#include "interpscale/nn/training_step.hpp"

namespace interpscale::tool {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatch = 128;
constexpr double kSmallestGain = 1.1;

/// A network, its batch and its step, all of one width.
class Training {
 public:
  explicit Training(std::size_t width)
      : network_(nn::initialise_he<float>(
            {64, {width, width, width}, 10, kernels::Activation::kRelu}, kSeed)),
        inputs_(kBatch, network_.topology.inputs),
        labels_(kBatch),
        step_(network_.topology, kBatch, nn::Loss::kCrossEntropy, {.momentum = 0.0}) {
    const RandomStream stream(kSeed, network_.layers.size());
    std::uint64_t index = 0;
    for (std::size_t b = 0; b < kBatch; ++b) {
      for (float& value : inputs_.row(b)) {
        value = static_cast<float>(stream.normal(index++));
      }
      labels_[b] = static_cast<std::uint32_t>(b % network_.topology.outputs);
    }
  }

  /// Seconds of one step on so many threads, over at least `least` seconds.
  [[nodiscard]] double seconds(const kernels::Context<float>& context, double least) {
    constexpr double kStandingRate = 1e-20;  // parameters stay what they are
    const Clock::time_point start = Clock::now();
    int steps = 0;
    double elapsed = 0.0;
    while (elapsed < least) {
      (void)step_.run(network_, inputs_, {.labels = labels_, .values = {}}, kStandingRate, context);
      ++steps;
      elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    }
    return elapsed / steps;
  }

 private:
  static constexpr std::uint64_t kSeed = 1;

  nn::Mlp<float> network_;
  Matrix<float> inputs_;
  std::vector<std::uint32_t> labels_;
  nn::TrainingStep<float> step_;
};

ThreadGain gain_of(std::size_t width, int threads, const kernels::Backend<float>& backend) {
  constexpr std::size_t kTurns = 5;
  constexpr double kSeconds = 0.01;
  Workspace workspace;
  const kernels::Context<float> one(backend, 1, workspace);
  const kernels::Context<float> all(backend, threads, workspace);
  Training training(width);
  static_cast<void>(training.seconds(all, kSeconds));
  std::vector<double> on_one;
  std::vector<double> on_all;
  for (std::size_t turn = 0; turn < kTurns; ++turn) {
    on_one.push_back(training.seconds(one, kSeconds));
    on_all.push_back(training.seconds(all, kSeconds));
  }
  std::sort(on_one.begin(), on_one.end());
  std::sort(on_all.begin(), on_all.end());
  ThreadGain gain{width, on_one[kTurns / 2], on_all[kTurns / 2], threads, 1};
  if (gain.one_thread_seconds >= kSmallestGain * gain.seconds) {
    gain.worth = threads;
  }
  return gain;
}

}  // namespace

Result<ThreadGains> measure_thread_gains() {
  const auto backend = kernels::make_backend<float>("simd");
  if (!backend) {
    return tl::unexpected(backend.error());
  }
  ThreadGains result;
  // A thread of its own: the caller's binding stays as it is.
  std::thread([&] {
    const int threads = static_cast<int>(measure::allowed_processors().size());
    if (threads < 2) {
      return;
    }
    result.binding = measure::bind_threads(threads);
    for (const std::size_t width : {64U, 256U, 1024U}) {
      result.gains.push_back(gain_of(width, threads, **backend));
    }
  }).join();
  return result;
}

}  // namespace interpscale::tool
