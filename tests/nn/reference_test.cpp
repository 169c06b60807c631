// Passes and training against tests/data/mlp_reference.json.
//
// Tolerances: a value is reached by four products of at most 16 terms forward and as many back,
// each with an error of (terms + 2) eps, about 140 eps together; the 2e-5 of the largest value in
// float (eps 6e-8) is twice that, for the exponentials and ten updates. In double the same bound
// would be 3e-14; 1e-10 leaves room for the decimal file. SPDX-License-Identifier: Apache-2.0
#include <type_traits>

#include "interpscale/nn/training_step.hpp"
#include "nn/problem.hpp"
#include "support/catch.hpp"
#include "support/reference_values.hpp"

namespace interpscale::nn {
namespace {

template <class T>
constexpr double kTolerance = std::is_same_v<T, float> ? 2e-5 : 1e-10;

template <class T>
void check_close(MatrixView<const T> found, MatrixView<const double> wanted) {
  CHECK(testing::distance(found, wanted) <= kTolerance<T> * testing::largest(wanted));
}

template <class T>
void check_layers(const std::vector<DenseLayer<T>>& found,
                  const std::vector<DenseLayer<double>>& wanted) {
  REQUIRE(found.size() == wanted.size());
  for (std::size_t l = 0; l < found.size(); ++l) {
    check_close<T>(found[l].weights.view(), wanted[l].weights.view());
    check_close<T>(testing::as_row(found[l].bias), testing::as_row(wanted[l].bias));
  }
}

template <class T>
Matrix<T> inputs_as(const testing::ReferenceValues& values) {
  const Matrix<double> exact = values.inputs();
  Matrix<T> inputs(exact.rows(), exact.cols());
  copy(exact.view(), inputs.view());
  return inputs;
}

TEMPLATE_TEST_CASE("passes: every backend reaches the reference values", "[nn][reference]", double,
                   float) {
  using T = TestType;
  const bool keep_pre_activations = GENERATE(false, true);
  const testing::ReferenceValues values;
  const Mlp<T> network = convert<T>(values.network());
  const Matrix<T> inputs = inputs_as<T>(values);
  const std::vector<std::uint32_t> labels = values.labels();
  for (const std::string& name : kernels::backend_names<T>()) {
    INFO("backend " << name);
    const auto backend = testing::backend<T>(name);
    Workspace workspace;
    const kernels::Context<T> context(*backend, 1, workspace);
    Tape<T> tape(network.topology, inputs.rows(), keep_pre_activations);
    forward<T>(network, inputs, tape, context);
    for (std::size_t l = 0; l < 3; ++l) {
      check_close<T>(tape.activation(l), values.matrix("activations", l));
      if (keep_pre_activations) {
        check_close<T>(tape.pre_activations[l].view(), values.matrix("pre_activations", l));
      }
    }
    check_close<T>(tape.output(), values.matrix("logits"));

    std::vector<T> losses(inputs.rows());
    Matrix<T> output_gradient(inputs.rows(), network.topology.outputs);
    const MatrixView<const T> outputs = tape.output();
    const double loss = loss_and_gradient<T>(Loss::kCrossEntropy, outputs, {.labels = labels},
                                             losses, output_gradient, context);
    CHECK(std::abs(loss - values.number("loss")) <= kTolerance<T> * values.number("loss"));
    const std::vector<double> loss_per_example = values.vector("loss_per_example");
    check_close<T>({losses.data(), 1, 16, 16}, {loss_per_example.data(), 1, 16, 16});

    std::vector<DenseLayer<T>> gradients = zero_layers<T>(network.topology);
    backward<T>(network, inputs, tape, output_gradient, gradients, context);
    check_layers(gradients, values.gradients());
    std::vector<Matrix<T>> activation_gradients = hidden_matrices<T>(network.topology, 16);
    backward_activations<T>(network, tape, output_gradient, 0, activation_gradients, context);
    for (std::size_t l = 0; l < 3; ++l) {
      check_close<T>(activation_gradients[l].view(), values.matrix("grad_activations", l));
    }
  }
}

TEMPLATE_TEST_CASE("training: ten steps of every optimizer reach the reference values",
                   "[nn][reference]", double, float) {
  using T = TestType;
  struct Case {
    std::string name;
    double rate;
    OptimizerOptions options;
  };
  const auto& [record, rate, options] = GENERATE(
      Case{"train_sgd_lr0.01", 0.01, {.kind = OptimizerKind::kSgd, .momentum = 0.0}},
      Case{"train_sgd_momentum0.9_lr0.01", 0.01, {.kind = OptimizerKind::kSgd, .momentum = 0.9}},
      Case{"train_adam_lr0.001", 0.001, {.kind = OptimizerKind::kAdam}});
  const testing::ReferenceValues values;
  const testing::ReferenceTraining training = values.training(record);
  const Matrix<T> inputs = inputs_as<T>(values);
  const std::vector<std::uint32_t> labels = values.labels();
  for (const std::string& name : kernels::backend_names<T>()) {
    INFO("backend " << name << ", " << record);
    const auto backend = testing::backend<T>(name);
    Workspace workspace;
    const kernels::Context<T> context(*backend, 1, workspace);
    Mlp<T> network = convert<T>(values.network());
    TrainingStep<T> step(network.topology, inputs.rows(), Loss::kCrossEntropy, options);
    for (const double wanted : training.losses) {
      const double loss = step.run(network, inputs, {.labels = labels}, rate, context);
      CHECK(std::abs(loss - wanted) <= kTolerance<T> * wanted);
    }
    check_layers(network.layers, training.layers);
  }
}

}  // namespace
}  // namespace interpscale::nn
