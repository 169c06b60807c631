// Networks and batches that methods are tested on: awkward shapes, non-zero biases, every
// non-linearity, away from the ReLU's kinks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "interpscale/core/random.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/methods/registry.hpp"
#include "interpscale/methods/verification.hpp"
#include "interpscale/nn/passes.hpp"
#include "interpscale/nn/training_step.hpp"

namespace interpscale::testing {

using kernels::Activation;
using methods::Metric;

/// A problem that methods are tested on.
struct Case {
  nn::Topology topology;
  std::size_t batch = 1;
  methods::MethodOptions options = {};
  bool has_baseline = false;
  int training_steps = 0;
  std::size_t dataset = 0;  ///< samples of a data set beside the batch; 0: none
};

/// Pre-activations farther from zero than this keep their sign in float: values of order one carry
/// errors of some 1e-6 after the few layers of these networks.
inline constexpr double kKinkMargin = 1e-5;

/// Training a dictionary expands rounding step by step: few of them, for a tolerance that means
/// something.
inline constexpr int kDictionarySteps = 3;

[[nodiscard]] inline Matrix<float> random_matrix(std::size_t rows, std::size_t cols,
                                                 std::uint64_t seed) {
  const RandomStream random(seed, 1000);
  Matrix<float> matrix(rows, cols);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      matrix(i, j) = static_cast<float>(random.normal(i * cols + j));
    }
  }
  return matrix;
}

/// One float backend with its scratch memory.
class Bench {
 public:
  explicit Bench(const std::string& name, int threads = 1)
      : backend_(kernels::make_backend<float>(name).value()),
        context_(*backend_, threads, workspace_) {}
  /// Counts what another bench's backend is asked for.
  explicit Bench(const kernels::Backend<float>& backend) : context_(backend, 1, workspace_) {}

  [[nodiscard]] const kernels::Context<float>& context() const { return context_; }
  [[nodiscard]] const kernels::Backend<float>& backend() const { return context_.backend; }
  [[nodiscard]] const Workspace& workspace() const { return workspace_; }

 private:
  std::unique_ptr<kernels::Backend<float>> backend_;
  Workspace workspace_;
  kernels::Context<float> context_;
};

/// A case made real: the first seed whose network keeps its distance from the kinks and has an
/// active unit in every layer. The first neuron of all is dead.
class Specimen {
 public:
  explicit Specimen(const Case& problem)
      : options_(problem.options), tape_(problem.topology, problem.batch) {
    options_.dictionary_steps = std::min(options_.dictionary_steps, kDictionarySteps);
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      make(problem, seed);
      nn::forward<float>(network_, inputs_, tape_, bench_.context());
      const std::vector<std::uint64_t> active = methods::problem_of(probe()).active_pairs;
      const bool all_active = *std::min_element(active.begin(), active.end()) > 0;
      if (all_active &&
          methods::kink_distance(methods::DoubleSpecimen(probe()).probe()) > kKinkMargin) {
        return;
      }
    }
    throw std::runtime_error("no seed keeps " + problem.topology.name() + " from its kinks");
  }

  [[nodiscard]] methods::Probe<float> probe() {
    return {network_, inputs_, labels_,  baseline_,      donor_,
            options_, tape_,   dataset_, dataset_labels_};
  }
  /// The problem posed, measured.
  [[nodiscard]] methods::Problem problem() {
    return methods::problem_of(probe(), bench_.context());
  }

 private:
  void make(const Case& problem, std::uint64_t seed) {
    const nn::Topology& topology = problem.topology;
    network_ = nn::initialise_he<float>(topology, seed, 0.2);
    inputs_ = random_matrix(problem.batch, topology.inputs, seed);
    donor_ = random_matrix(problem.batch, topology.inputs, seed + 1000);
    baseline_ =
        problem.has_baseline ? random_matrix(1, topology.inputs, seed + 2000) : Matrix<float>();
    const RandomStream random(seed, 1001);
    labels_.clear();
    for (std::size_t b = 0; b < problem.batch; ++b) {
      labels_.push_back(static_cast<std::uint32_t>(random.below(b, topology.outputs)));
    }
    dataset_ = random_matrix(problem.dataset, topology.inputs, seed + 3000);
    dataset_labels_.clear();
    for (std::size_t b = 0; b < problem.dataset; ++b) {
      dataset_labels_.push_back(
          static_cast<std::uint32_t>(random.below(problem.batch + b, topology.outputs)));
    }
    train(problem.training_steps);
    if (topology.activation == Activation::kRelu && topology.hidden[0] > 1) {
      network_.layers[0].bias[0] = -1000.0F;
    }
  }

  void train(int steps) {
    nn::TrainingStep<float> step(network_.topology, inputs_.rows(), nn::Loss::kCrossEntropy, {});
    for (int i = 0; i < steps; ++i) {
      (void)step.run(network_, inputs_, {.labels = labels_}, 0.02, bench_.context());
    }
  }

  methods::MethodOptions options_;
  Bench bench_{"reference"};
  nn::Mlp<float> network_;
  Matrix<float> inputs_;
  Matrix<float> baseline_;
  Matrix<float> donor_;
  std::vector<std::uint32_t> labels_;
  Matrix<float> dataset_;
  std::vector<std::uint32_t> dataset_labels_;
  nn::Tape<float> tape_;
};

/// Width 1, widths next to no multiple of a vector, a batch of 1, unequal layers, one hidden layer,
/// every non-linearity, every option; the last one is wide enough for several tiles, and trained.
[[nodiscard]] inline std::vector<Case> awkward_cases() {
  const auto relu = Activation::kRelu;
  return {
      {.topology = {3, {1}, 2, relu}, .batch = 5, .options = {.steps = 3}},
      {.topology = {7, {13, 5, 17}, 3, relu}, .batch = 9, .options = {.steps = 4, .edges = true}},
      {.topology = {5, {9, 6}, 4, Activation::kSoftplus},
       .batch = 3,
       .options = {.steps = 1, .starts = 1, .radius = 2.5, .epsilon = 0.3}},
      {.topology = {6, {16, 33}, 4, Activation::kTanh},
       .batch = 7,
       .options = {.steps = 5, .absolute = true, .workspace_bytes = 4096},
       .has_baseline = true},
      {.topology = {11, {10, 18, 6}, 5, relu}, .batch = 1, .options = {.steps = 2}, .dataset = 7},
      {.topology = {19, {31, 1, 8}, 5, relu},
       .batch = 17,
       .options = {.steps = 3, .metric = Metric::kTarget, .absolute = true},
       .has_baseline = true},
      {.topology = {4, {40, 41}, 3, relu},
       .batch = 66,
       .options = {.steps = 5, .workspace_bytes = 20000},
       .training_steps = 15,
       .dataset = 150},
  };
}

}  // namespace interpscale::testing
