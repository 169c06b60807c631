// Gradients against central differences (F(p + h) - F(p - h)) / 2h in double. With h = 1e-5 the
// truncation h^2 F''' / 6 and the rounding eps F / h both stay near 1e-11, far below the bound.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/passes.hpp"
#include "nn/problem.hpp"
#include "support/catch.hpp"

namespace interpscale::nn {
namespace {

using kernels::Activation;
using testing::Problem;

constexpr double kStep = 1e-5;
constexpr double kTolerance = 1e-6;  // of a layer's largest gradient
constexpr double kKinkDistance = 1e-2;
const std::vector<std::size_t> kWidths{7, 5, 6};

/// Everything a loss needs besides the network.
class Objective {
 public:
  Objective(const Problem<double>& problem, Loss loss)
      : problem_(problem),
        loss_(loss),
        backend_(testing::backend<double>("reference")),
        context_(*backend_, 1, workspace_),
        tape_(problem.network.topology, problem.inputs.rows(), true),
        losses_(problem.inputs.rows()),
        output_gradient_(problem.inputs.rows(), problem.network.topology.outputs) {}

  double at(const Mlp<double>& network) {
    forward<double>(network, problem_.inputs, tape_, context_);
    return loss();
  }
  /// With one activation of the tape changed by `change`.
  double at_changed(std::size_t layer, std::size_t b, std::size_t j, double change) {
    forward<double>(problem_.network, problem_.inputs, tape_, context_);
    tape_.activations[layer](b, j) += change;
    forward_from(problem_.network, layer, tape_, context_);
    return loss();
  }
  /// Distance of the pre-activation closest to zero, in a batch's row.
  double kink_distance(std::size_t b) const {
    double closest = 1.0;
    for (const Matrix<double>& z : tape_.pre_activations) {
      for (const double value : z.row(b)) {
        closest = std::min(closest, std::abs(value));
      }
    }
    return closest;
  }

  const Problem<double>& problem_;
  Loss loss_;
  std::unique_ptr<kernels::Backend<double>> backend_;
  Workspace workspace_;
  kernels::Context<double> context_;
  Tape<double> tape_;
  std::vector<double> losses_;
  Matrix<double> output_gradient_;

 private:
  double loss() {
    const MatrixView<const double> outputs = tape_.output();
    return loss_and_gradient(loss_, outputs, problem_.targets(), std::span(losses_),
                             output_gradient_.view(), context_);
  }
};

/// Eight examples, all of whose pre-activations keep clear of zero.
Problem<double> away_from_kinks(Activation activation) {
  const Topology topology{4, kWidths, 3, activation};
  Problem<double> candidates = testing::random_problem<double>(topology, 64, 11);
  Objective objective(candidates, Loss::kCrossEntropy);
  (void)objective.at(candidates.network);
  Problem<double> kept = testing::random_problem<double>(topology, 8, 11);
  std::size_t count = 0;
  for (std::size_t b = 0; b < 64 && count < 8; ++b) {
    if (objective.kink_distance(b) > kKinkDistance) {
      std::ranges::copy(candidates.inputs.row(b), kept.inputs.row(count).begin());
      ++count;
    }
  }
  REQUIRE(count == 8);
  return kept;
}

/// dF/d`parameter` of `network` by a central difference.
double numeric(Objective& objective, const Mlp<double>& network, double& parameter) {
  const double value = parameter;
  parameter = value + kStep;
  const double above = objective.at(network);
  parameter = value - kStep;
  const double below = objective.at(network);
  parameter = value;
  return (above - below) / (2.0 * kStep);
}

TEST_CASE("backward: gradients equal central differences", "[nn][gradient]") {
  const Activation activation =
      GENERATE(Activation::kRelu, Activation::kSoftplus, Activation::kTanh);
  const Loss loss = GENERATE(Loss::kCrossEntropy, Loss::kMeanSquaredError);
  const Problem<double> problem = away_from_kinks(activation);
  Objective objective(problem, loss);
  (void)objective.at(problem.network);
  std::vector<DenseLayer<double>> gradients = zero_layers<double>(problem.network.topology);
  backward<double>(problem.network, problem.inputs, objective.tape_, objective.output_gradient_,
                   gradients, objective.context_);

  Mlp<double> network = problem.network;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    DenseLayer<double>& layer = network.layers[l];
    Matrix<double> weights(layer.weights.rows(), layer.weights.cols());
    AlignedVector<double> bias(layer.bias.size());
    for (std::size_t j = 0; j < weights.rows(); ++j) {
      for (std::size_t i = 0; i < weights.cols(); ++i) {
        weights(j, i) = numeric(objective, network, layer.weights(j, i));
      }
      bias[j] = numeric(objective, network, layer.bias[j]);
    }
    const double scale = testing::largest<double>(gradients[l].weights.view());
    REQUIRE(scale > 1e-3);
    INFO("layer " << l);
    CHECK(testing::distance(weights.view(), gradients[l].weights.view()) < kTolerance * scale);
    CHECK(testing::distance(testing::as_row(bias), testing::as_row(gradients[l].bias)) <
          kTolerance * scale);
  }
}

TEST_CASE("backward_activations: gradients equal central differences of forward_from",
          "[nn][gradient]") {
  const Activation activation =
      GENERATE(Activation::kRelu, Activation::kSoftplus, Activation::kTanh);
  const Problem<double> problem = away_from_kinks(activation);
  Objective objective(problem, Loss::kCrossEntropy);
  (void)objective.at(problem.network);
  std::vector<Matrix<double>> gradients =
      hidden_matrices<double>(problem.network.topology, problem.inputs.rows());
  backward_activations<double>(problem.network, objective.tape_, objective.output_gradient_, 0,
                               gradients, objective.context_);
  for (std::size_t l = 0; l < gradients.size(); ++l) {
    Matrix<double> differences(gradients[l].rows(), gradients[l].cols());
    for (std::size_t b = 0; b < differences.rows(); ++b) {
      for (std::size_t j = 0; j < differences.cols(); ++j) {
        differences(b, j) =
            (objective.at_changed(l, b, j, kStep) - objective.at_changed(l, b, j, -kStep)) /
            (2.0 * kStep);
      }
    }
    const double scale = testing::largest<double>(gradients[l].view());
    REQUIRE(scale > 1e-3);
    INFO("layer " << l);
    CHECK(testing::distance(differences.view(), gradients[l].view()) < kTolerance * scale);
  }
}

TEST_CASE("backward_activations: layers before the first one asked for are left alone", "[nn]") {
  const Problem<double> problem = testing::random_problem<double>({4, kWidths, 3}, 8, 2);
  Objective objective(problem, Loss::kCrossEntropy);
  (void)objective.at(problem.network);
  std::vector<Matrix<double>> all = hidden_matrices<double>(problem.network.topology, 8);
  std::vector<Matrix<double>> some = hidden_matrices<double>(problem.network.topology, 8);
  backward_activations<double>(problem.network, objective.tape_, objective.output_gradient_, 0, all,
                               objective.context_);
  backward_activations<double>(problem.network, objective.tape_, objective.output_gradient_, 1,
                               some, objective.context_);
  CHECK(testing::largest<double>(some[0].view()) == 0.0);
  CHECK(testing::largest<double>(all[0].view()) > 0.0);
  CHECK(testing::distance(some[1].view(), all[1].view()) == 0.0);
  CHECK(testing::distance(some[2].view(), all[2].view()) == 0.0);
}

TEST_CASE("forward: a smaller batch uses a tape's first rows", "[nn]") {
  const Problem<double> problem = testing::random_problem<double>({4, kWidths, 3}, 8, 2);
  Objective objective(problem, Loss::kCrossEntropy);
  (void)objective.at(problem.network);
  Tape<double> tape(problem.network.topology, 8);
  CHECK(tape.batch == 8);
  forward<double>(problem.network, problem.inputs.view().rows_from(2, 3), tape, objective.context_);
  CHECK(tape.batch == 3);
  CHECK(testing::distance(tape.output(), objective.tape_.output().rows_from(2, 3)) == 0.0);
  CHECK_THROWS_AS(forward<double>(problem.network, Matrix<double>(9, 4), tape, objective.context_),
                  ContractViolation);
}

}  // namespace
}  // namespace interpscale::nn
