// Training steps: the list, and one prepared step as a subject.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/peers/subjects_internal.hpp"
#include "interpscale/core/random.hpp"
#include "interpscale/nn/training_step.hpp"
#include "kernels/reference/reference_backend.hpp"

namespace interpscale::bench::peers {
namespace {

constexpr std::size_t kBatch = 128;
constexpr std::uint64_t kSeed = 1;
/// So small that no parameter moves: every step does the same work.
constexpr float kStandingRate = 1e-20F;

nn::Topology topology_of(std::size_t width) {
  return {64, {width, width, width}, 10, kernels::Activation::kRelu};
}

/// A network, a batch, and what stands at its edge: the problem points into it.
struct Specimen {
  explicit Specimen(std::size_t width)
      : network(nn::initialise_he<float>(topology_of(width), kSeed)),
        inputs(kBatch, network.topology.inputs),
        labels(kBatch) {
    const RandomStream stream(kSeed, network.layers.size());
    std::uint64_t index = 0;
    for (std::size_t b = 0; b < kBatch; ++b) {
      for (float& value : inputs.row(b)) {
        value = static_cast<float>(stream.normal(index++));
      }
      labels[b] = static_cast<std::uint32_t>(b % network.topology.outputs);
    }
  }

  [[nodiscard]] TrainingProblem problem(nn::OptimizerKind optimizer, float rate) const {
    return {network, inputs, labels, rate, optimizer};
  }

  nn::Mlp<float> network;
  Matrix<float> inputs;
  std::vector<std::uint32_t> labels;
};

/// The parameters after one step of plain loops in double precision.
nn::Mlp<double> exactly_trained(const Specimen& specimen, nn::OptimizerKind optimizer,
                                double rate) {
  const kernels::ReferenceBackend<double> backend;
  Workspace workspace;
  const kernels::Context<double> context(backend, 1, workspace);
  nn::Mlp<double> network = nn::convert<double>(specimen.network);
  Matrix<double> inputs(specimen.inputs.rows(), specimen.inputs.cols());
  copy(specimen.inputs.view(), inputs.view());
  nn::TrainingStep<double> step(network.topology, kBatch, nn::Loss::kCrossEntropy,
                                {.kind = optimizer, .momentum = 0.0});
  (void)step.run(network, inputs, {.labels = specimen.labels, .values = {}}, rate, context);
  return network;
}

/// ||found - exact|| / ||exact - start||: the error of an update, relative to the update.
double update_error(const nn::Mlp<float>& found, const nn::Mlp<double>& exact,
                    const nn::Mlp<float>& start) {
  double error = 0.0;
  double update = 0.0;
  const auto add = [&](float x, double y, float z) {
    error += std::pow(static_cast<double>(x) - y, 2);
    update += std::pow(y - static_cast<double>(z), 2);
  };
  for (std::size_t l = 0; l < exact.layers.size(); ++l) {
    const Matrix<double>& weights = exact.layers[l].weights;
    for (std::size_t i = 0; i < weights.rows(); ++i) {
      for (std::size_t j = 0; j < weights.cols(); ++j) {
        add(found.layers[l].weights(i, j), weights(i, j), start.layers[l].weights(i, j));
      }
    }
    for (std::size_t i = 0; i < weights.rows(); ++i) {
      add(found.layers[l].bias[i], exact.layers[l].bias[i], start.layers[l].bias[i]);
    }
  }
  return std::sqrt(error / update);
}

class TimedTraining : public measure::Timed {
 public:
  TimedTraining(const Training& training, const Peer& peer)
      : training_(training),
        peer_(peer),
        specimen_(training.width),
        trainer_(peer.make_trainer(specimen_.problem(training.optimizer, kStandingRate))) {}

  void run() override { trainer_->step(); }

  /// One step at an ordinary rate. SGD's update is compared as a whole, relative to its length: a
  /// unit at its kink in one sample of 128 is a share of sqrt(1 / (128 w)) or less of one layer,
  /// and rounding far below. Adam's first update is rate * sign(gradient), where a gradient of
  /// rounding error's size turns its sign: a share of the updates, each wrong by twice its length.
  Result<measure::Verification> verify() override {
    constexpr std::size_t kLargestVerified = 64;
    constexpr float kOrdinaryRate = 0.1F;
    constexpr double kAllowed = 0.05;
    const Specimen small(std::min(training_.width, kLargestVerified));
    const auto trainer = peer_.make_trainer(small.problem(training_.optimizer, kOrdinaryRate));
    trainer->step();
    const nn::Mlp<double> exact = exactly_trained(small, training_.optimizer, kOrdinaryRate);
    const double error = update_error(trainer->network(), exact, small.network);
    if (!(error <= kAllowed)) {
      return fail("{}: the update is off by {:.3g} of its length, allowed are {}", training_.name(),
                  error, kAllowed);
    }
    return measure::Verification{error, kAllowed, "backend reference in double precision"};
  }

 private:
  Training training_;
  Peer peer_;
  Specimen specimen_;
  std::unique_ptr<Trainer> trainer_;
};

}  // namespace

std::string Training::name() const {
  return fmt::format("training_step/{}/w:{}", optimizer == nn::OptimizerKind::kSgd ? "sgd" : "adam",
                     width);
}

std::uint64_t Training::product_flops() const {
  const nn::Topology topology = topology_of(width);
  std::uint64_t weights = 0;
  for (std::size_t layer = 0; layer < topology.layers(); ++layer) {
    weights += topology.fan_in(layer) * topology.fan_out(layer);
  }
  return kBatch * (6 * weights - 2 * topology.inputs * width);
}

std::vector<Training> all_trainings() {
  std::vector<Training> trainings;
  for (const nn::OptimizerKind optimizer : {nn::OptimizerKind::kSgd, nn::OptimizerKind::kAdam}) {
    for (const std::size_t width : {16U, 64U, 128U, 256U, 512U, 1024U, 2048U, 4096U}) {
      trainings.push_back({optimizer, width});
    }
  }
  return trainings;
}

measure::Subject training_subject(const Training& training, const Peer& peer) {
  measure::Subject subject;
  subject.name = training.name();
  subject.quantities.parameters = topology_of(training.width).parameters();
  subject.quantities.batch = kBatch;
  subject.quantities.flops = training.product_flops();
  subject.quantities.bytes = 2 * sizeof(float) * subject.quantities.parameters;
  subject.prepare = [training, peer]() -> Result<std::unique_ptr<measure::Timed>> {
    return std::make_unique<TimedTraining>(training, peer);
  };
  return subject;
}

}  // namespace interpscale::bench::peers
