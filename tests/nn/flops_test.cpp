// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "interpscale/kernels/counting_backend.hpp"
#include "interpscale/nn/training_step.hpp"
#include "nn/problem.hpp"
#include "support/catch.hpp"

namespace interpscale::nn {
namespace {

using kernels::Activation;

TEST_CASE("declared FLOPs of passes and training steps equal the counted ones", "[nn][flops]") {
  const Activation activation =
      GENERATE(Activation::kRelu, Activation::kSoftplus, Activation::kTanh);
  const std::vector<std::size_t> hidden =
      GENERATE(std::vector<std::size_t>{1}, std::vector<std::size_t>{9},
               std::vector<std::size_t>{17, 16}, std::vector<std::size_t>{5, 33, 2, 8});
  const std::size_t batch = GENERATE(1U, 6U);
  const Topology topology{13, hidden, 4, activation};
  const testing::Problem<float> problem = testing::random_problem<float>(topology, batch, 1);
  const auto reference = testing::backend<float>("reference");
  const auto counting = kernels::make_counting_backend<float>(*reference);
  Workspace workspace;
  const kernels::Context<float> context(*counting, 1, workspace);
  const auto counted = [&] {
    const kernels::Flops flops = counting->flops();
    counting->reset();
    return flops;
  };
  INFO(topology.name() << ", batch " << batch);

  Tape<float> tape(topology, batch);
  counting->reset();
  forward<float>(problem.network, problem.inputs, tape, context);
  CHECK(counted() == forward_flops(topology, batch));
  const Matrix<float> output_gradient = testing::normal_matrix<float>(batch, 4, 9);
  std::vector<DenseLayer<float>> gradients = zero_layers<float>(topology);
  backward<float>(problem.network, problem.inputs, tape, output_gradient, gradients, context);
  CHECK(counted() == backward_flops(topology, batch));
  std::vector<Matrix<float>> activation_gradients = hidden_matrices<float>(topology, batch);
  for (std::size_t layer = 0; layer < hidden.size(); ++layer) {
    forward_from(problem.network, layer, tape, context);
    CHECK(counted() == forward_from_flops(topology, layer, batch));
    backward_activations<float>(problem.network, tape, output_gradient, layer, activation_gradients,
                                context);
    CHECK(counted() == backward_activations_flops(topology, layer, batch));
  }
  for (const Loss loss : {Loss::kCrossEntropy, Loss::kMeanSquaredError}) {
    for (const OptimizerKind kind : {OptimizerKind::kSgd, OptimizerKind::kAdam}) {
      Mlp<float> network = problem.network;
      TrainingStep<float> step(topology, batch, loss, {.kind = kind});
      (void)step.run(network, problem.inputs, problem.targets(), 0.01, context);
      CHECK(counted() == training_step_flops(topology, batch, loss, kind));
    }
    const OptimizerOptions plain{.momentum = 0.0};
    Mlp<float> network = problem.network;
    TrainingStep<float> step(topology, batch, loss, plain);
    (void)step.run(network, problem.inputs, problem.targets(), 0.01, context);
    CHECK(counted() == training_step_flops(topology, batch, loss, plain));
  }
}

TEST_CASE("a training step costs 6 N B less the first layer's input gradient, in leading order",
          "[nn][flops]") {
  const Topology topology{784, {512, 512, 512}, 10, Activation::kRelu};
  const std::uint64_t batch = 128;
  const std::uint64_t leading =
      6 * topology.parameters() * batch - 2 * topology.inputs * topology.hidden[0] * batch;
  const auto exact = static_cast<double>(
      training_step_flops(topology, batch, Loss::kCrossEntropy, OptimizerKind::kSgd));
  // What is left: 4 N for the update is 1 / (1.5 B) of the total, biases and loss are less.
  CHECK(exact / static_cast<double>(leading) == Approx(1.0).margin(1.0 / 128.0));
}

}  // namespace
}  // namespace interpscale::nn
