// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/training_step.hpp"

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <new>

#include "nn/problem.hpp"
#include "support/catch.hpp"

namespace {

std::atomic<std::size_t> allocations = 0;

void* counted_allocation(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

}  // namespace

// The test binary's own allocation functions: they count, so that a test can see an allocation.
void* operator new(std::size_t bytes) {
  return counted_allocation(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted_allocation(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace interpscale::nn {
namespace {

// Widths that no vector length divides, and products large enough to be shared by threads.
const Topology kTopology{75, {130, 67}, 10, kernels::Activation::kRelu};

TEST_CASE("training step: no allocation after the first", "[nn][training]") {
  const auto kind = GENERATE(OptimizerKind::kSgd, OptimizerKind::kAdam);
  const double momentum = GENERATE(0.0, 0.9);
  const auto loss = GENERATE(Loss::kCrossEntropy, Loss::kMeanSquaredError);
  const int threads = GENERATE(1, 2);
  const testing::Problem<float> problem = testing::random_problem<float>(kTopology, 96, 4);
  for (const std::string& name : kernels::backend_names<float>()) {
    INFO("backend " << name << ", " << threads << " threads");
    const auto backend = testing::backend<float>(name);
    Workspace workspace;
    const kernels::Context<float> context(*backend, threads, workspace);
    Mlp<float> network = problem.network;
    TrainingStep<float> step(kTopology, 96, loss, {.kind = kind, .momentum = momentum});
    const std::size_t before = allocations;
    (void)step.run(network, problem.inputs, problem.targets(), 0.01, context);
    const std::size_t after_first = allocations;
    for (int repeat = 0; repeat < 3; ++repeat) {
      (void)step.run(network, problem.inputs, problem.targets(), 0.01, context);
    }
    const std::size_t after_last = allocations;
    CHECK(after_first > before);  // the workspace's: the counter does count
    CHECK(after_last == after_first);
  }
}

TEMPLATE_TEST_CASE("training step: the same bits on one and two threads", "[nn][training]", float,
                   double) {
  using T = TestType;
  const auto kind = GENERATE(OptimizerKind::kSgd, OptimizerKind::kAdam);
  const double momentum = GENERATE(0.0, 0.9);
  const auto activation = GENERATE(kernels::Activation::kRelu, kernels::Activation::kTanh);
  Topology topology = kTopology;
  topology.activation = activation;
  const testing::Problem<T> problem = testing::random_problem<T>(topology, 96, 4);
  for (const std::string& name : kernels::backend_names<T>()) {
    INFO("backend " << name);
    const auto backend = testing::backend<T>(name);
    const auto trained = [&](int threads) {
      Workspace workspace;
      const kernels::Context<T> context(*backend, threads, workspace);
      Mlp<T> network = problem.network;
      TrainingStep<T> step(topology, 96, Loss::kCrossEntropy, {.kind = kind, .momentum = momentum});
      for (int repeat = 0; repeat < 4; ++repeat) {
        (void)step.run(network, problem.inputs, problem.targets(), 0.01, context);
      }
      return network;
    };
    const Mlp<T> one = trained(1);
    const Mlp<T> two = trained(2);
    for (std::size_t l = 0; l < one.layers.size(); ++l) {
      const std::span<const T> a = one.layers[l].weights.padded();
      const std::span<const T> b = two.layers[l].weights.padded();
      CHECK(std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
      CHECK(std::memcmp(one.layers[l].bias.data(), two.layers[l].bias.data(),
                        one.layers[l].bias.size() * sizeof(T)) == 0);
      CHECK(testing::distance(one.layers[l].weights.view(),
                              problem.network.layers[l].weights.view()) > 0.0);
    }
  }
}

TEST_CASE("training step: padding behind the rows stays zero", "[nn][training]") {
  const testing::Problem<float> problem = testing::random_problem<float>(kTopology, 96, 4);
  for (const std::string& name : kernels::backend_names<float>()) {
    INFO("backend " << name);
    const auto backend = testing::backend<float>(name);
    Workspace workspace;
    const kernels::Context<float> context(*backend, 2, workspace);
    Mlp<float> network = problem.network;
    const bool keep_gradients = true;
    TrainingStep<float> step(kTopology, 96, Loss::kCrossEntropy, {}, keep_gradients);
    (void)step.run(network, problem.inputs, problem.targets(), 0.01, context);
    Mlp<float> unkept = problem.network;
    TrainingStep<float> other(kTopology, 96, Loss::kCrossEntropy, {});
    (void)other.run(unkept, problem.inputs, problem.targets(), 0.01, context);
    for (const auto* layers : std::initializer_list<const std::vector<DenseLayer<float>>*>{
             &network.layers, &unkept.layers, &step.gradients()}) {
      for (const DenseLayer<float>& layer : *layers) {
        const Matrix<float>& weights = layer.weights;
        for (std::size_t j = 0; j < weights.rows(); ++j) {
          for (std::size_t i = weights.cols(); i < weights.leading_dimension(); ++i) {
            REQUIRE(weights.padded()[j * weights.leading_dimension() + i] == 0.0F);
          }
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE(
    "training step: whether gradients are kept changes no bit of a step with moments",
    "[nn][training]", float, double) {
  using T = TestType;
  const auto kind = GENERATE(OptimizerKind::kSgd, OptimizerKind::kAdam);
  const int threads = GENERATE(1, 2);
  // Several panels a layer, the last one shorter, and rows with padding.
  const Topology topology{75, {330, 1030}, 10, kernels::Activation::kRelu};
  const testing::Problem<T> problem = testing::random_problem<T>(topology, 16, 4);
  for (const std::string& name : kernels::backend_names<T>()) {
    INFO("backend " << name << ", " << threads << " threads");
    const auto backend = testing::backend<T>(name);
    const auto trained = [&](bool keep_gradients) {
      Workspace workspace;
      const kernels::Context<T> context(*backend, threads, workspace);
      Mlp<T> network = problem.network;
      TrainingStep<T> step(topology, 16, Loss::kCrossEntropy, {.kind = kind}, keep_gradients);
      for (int repeat = 0; repeat < 2; ++repeat) {
        (void)step.run(network, problem.inputs, problem.targets(), 0.01, context);
      }
      CHECK(step.gradients().empty() != keep_gradients);
      return network;
    };
    const Mlp<T> kept = trained(true);
    const Mlp<T> unkept = trained(false);
    for (std::size_t l = 0; l < kept.layers.size(); ++l) {
      CHECK(testing::distance(kept.layers[l].weights.view(), unkept.layers[l].weights.view()) ==
            0.0);
      CHECK(std::memcmp(kept.layers[l].bias.data(), unkept.layers[l].bias.data(),
                        kept.layers[l].bias.size() * sizeof(T)) == 0);
    }
  }
}

TEMPLATE_TEST_CASE("training step: without momentum a step is w - rate g", "[nn][training]", float,
                   double) {
  using T = TestType;
  constexpr double kRate = 0.125;
  const testing::Problem<T> problem = testing::random_problem<T>(kTopology, 96, 4);
  for (const std::string& name : kernels::backend_names<T>()) {
    INFO("backend " << name);
    const auto backend = testing::backend<T>(name);
    Workspace workspace;
    const kernels::Context<T> context(*backend, 2, workspace);
    const OptimizerOptions plain{.momentum = 0.0};
    Mlp<T> network = problem.network;
    TrainingStep<T> step(kTopology, 96, Loss::kCrossEntropy, plain);
    (void)step.run(network, problem.inputs, problem.targets(), kRate, context);
    Mlp<T> other = problem.network;
    TrainingStep<T> keeping(kTopology, 96, Loss::kCrossEntropy, plain, true);
    (void)keeping.run(other, problem.inputs, problem.targets(), kRate, context);
    for (std::size_t l = 0; l < network.layers.size(); ++l) {
      for (std::size_t j = 0; j < network.layers[l].weights.rows(); ++j) {
        for (std::size_t i = 0; i < network.layers[l].weights.cols(); ++i) {
          const T g = keeping.gradients()[l].weights(j, i);
          const T w = problem.network.layers[l].weights(j, i);
          const T wanted = w - static_cast<T>(kRate) * g;
          // Two roundings at most on either side, of numbers no larger than these.
          const T size = std::abs(w) + std::abs(wanted) + std::abs(static_cast<T>(kRate) * g);
          REQUIRE(std::abs(network.layers[l].weights(j, i) - wanted) <=
                  T{4} * std::numeric_limits<T>::epsilon() * size);
        }
      }
    }
  }
}

TEST_CASE("training step: a batch below the capacity trains as one of its own size", "[nn]") {
  const testing::Problem<double> problem = testing::random_problem<double>(kTopology, 20, 4);
  const auto reference = testing::backend<double>("reference");
  Workspace workspace;
  const kernels::Context<double> context(*reference, 1, workspace);
  Mlp<double> roomy = problem.network;
  Mlp<double> exact = problem.network;
  TrainingStep<double> roomy_step(kTopology, 96, Loss::kCrossEntropy, {});
  TrainingStep<double> exact_step(kTopology, 20, Loss::kCrossEntropy, {});
  const nn::Targets<double> targets{.labels = problem.labels};
  const double roomy_loss = roomy_step.run(roomy, problem.inputs, targets, 0.01, context);
  CHECK(roomy_loss == exact_step.run(exact, problem.inputs, targets, 0.01, context));
  for (std::size_t l = 0; l < exact.layers.size(); ++l) {
    CHECK(testing::distance(roomy.layers[l].weights.view(), exact.layers[l].weights.view()) == 0.0);
  }
  CHECK_THROWS_AS(exact_step.run(exact, Matrix<double>(21, 75), targets, 0.01, context),
                  ContractViolation);
}

}  // namespace
}  // namespace interpscale::nn
