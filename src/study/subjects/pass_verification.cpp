// SPDX-License-Identifier: Apache-2.0
#include "study/subjects/pass_verification.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "interpscale/nn/passes.hpp"
#include "interpscale/nn/training_step.hpp"

namespace interpscale::study {
namespace {

using measure::Verification;
using nn::DenseLayer;
using nn::Loss;
using nn::Mlp;
using nn::Tape;
using nn::Topology;

constexpr const char* kComparedWith = "backend reference in double precision";

template <class To, class From>
Matrix<To> converted(MatrixView<From> source) {
  Matrix<To> target(source.rows(), source.cols());
  copy(source, target.view());
  return target;
}

/// The first `samples` rows of a tape, in double precision.
Tape<double> exact_tape(const Topology& topology, const Tape<float>& tape, std::size_t samples) {
  Tape<double> exact(topology, samples);
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    copy(tape.activation(layer).rows_from(0, samples), exact.activations[layer].view());
  }
  copy(tape.output().rows_from(0, samples), exact.logits.view());
  return exact;
}

/// The longest sum of a backward pass: over units of a layer, or over samples.
std::size_t longest_sum(const Topology& topology, std::size_t samples) {
  std::size_t longest = std::max(samples, topology.inputs);
  for (std::size_t layer = 0; layer < topology.layers(); ++layer) {
    longest = std::max(longest, topology.fan_out(layer));
  }
  return longest;
}

/// Mean loss of the first samples, and its gradients.
struct ExactGradients {
  double loss = 0;
  std::vector<DenseLayer<double>> layers;
};

/// Loss and gradients in double precision, from the activations and logits of a float tape.
ExactGradients exact_gradients(const Specimen& specimen, const Tape<float>& tape,
                               std::size_t samples, const kernels::Context<double>& context) {
  const Topology& topology = specimen.network.topology;
  const Mlp<double> network = nn::convert<double>(specimen.network);
  const Matrix<double> inputs = converted<double>(specimen.inputs.view().rows_from(0, samples));
  const Tape<double> exact = exact_tape(topology, tape, samples);
  ExactGradients gradients{0.0, nn::zero_layers<double>(topology)};
  Matrix<double> output_gradient(samples, topology.outputs);
  std::vector<double> losses(samples);
  gradients.loss = nn::loss_and_gradient<double>(
      Loss::kCrossEntropy, exact.output(),
      {.labels = std::span(specimen.labels).first(samples), .values = {}}, losses, output_gradient,
      context);
  nn::backward<double>(network, inputs, exact, output_gradient, gradients.layers, context);
  return gradients;
}

Comparison compare_gradients(const std::vector<DenseLayer<float>>& found,
                             const std::vector<DenseLayer<double>>& exact, const Topology& topology,
                             std::size_t samples) {
  const std::size_t length = longest_sum(topology, samples);
  Comparison worst;
  for (std::size_t layer = 0; layer < found.size(); ++layer) {
    // Each gradient has come down through one product a layer above its own, and two of its own.
    const std::size_t steps = found.size() - layer + 1;
    const double scale = std::max(largest_magnitude(exact[layer].weights.view()),
                                  largest_magnitude(std::span<const double>(exact[layer].bias)));
    const double allowed = rounding_bound(steps, length, scale);
    worst =
        worse_of(worst, {largest_deviation(found[layer].weights, exact[layer].weights), allowed});
    worst = worse_of(worst, {largest_deviation(std::span<const float>(found[layer].bias),
                                               std::span<const double>(exact[layer].bias)),
                             allowed});
  }
  return worst;
}

/// A loss is a sum over classes of what the logits are large, minus one of them.
Comparison compare_losses(double found, double exact, const Tape<float>& tape) {
  const Matrix<double> logits = converted<double>(tape.output());
  return {std::abs(found - exact),
          rounding_bound(2, logits.cols(), largest_magnitude(logits.view()) + std::abs(exact))};
}

std::size_t gradient_samples(const Specimen& specimen) {
  const Topology& topology = specimen.network.topology;
  return affordable_samples(specimen.inputs.rows(),
                            static_cast<double>(nn::backward_flops(topology, 1)));
}

}  // namespace

Result<Verification> verify_forward(const std::string& subject, const Specimen& specimen,
                                    const Tape<float>& tape) {
  const Topology& topology = specimen.network.topology;
  const std::size_t batch = specimen.inputs.rows();
  const std::size_t samples =
      affordable_samples(batch, static_cast<double>(nn::forward_flops(topology, 1)));
  const Result<Runtime<double>> runtime = Runtime<double>::reference();
  if (!runtime) {
    return tl::unexpected(runtime.error());
  }
  Tape<double> exact(topology, samples);
  const Matrix<double> inputs = converted<double>(specimen.inputs.view().rows_from(0, samples));
  nn::forward<double>(nn::convert<double>(specimen.network), inputs, exact, runtime->context());
  // Values of a layer are compared on the scale of its largest one and of those below: an output
  // that happens to be small has summed up errors of the size of its inputs.
  Comparison worst;
  double scale = largest_magnitude(inputs.view());
  std::size_t length = topology.inputs;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const MatrixView<const double> h = exact.activations[layer].view();
    scale = std::max(scale, largest_magnitude(h));
    length = std::max(length, topology.fan_in(layer));
    worst = worse_of(worst, {largest_deviation(tape.activation(layer).rows_from(0, samples), h),
                             rounding_bound(layer + 1, length, scale)});
  }
  length = std::max(length, topology.hidden.back());
  scale = std::max(scale, largest_magnitude(exact.logits.view()));
  worst = worse_of(worst, {largest_deviation(tape.output().rows_from(0, samples), exact.logits),
                           rounding_bound(topology.layers(), length, scale)});
  return verdict(subject, worst,
                 fmt::format("{}, {}", kComparedWith, describe_samples(samples, batch)));
}

Result<Verification> verify_backward(const std::string& subject, const Specimen& specimen,
                                     const Tape<float>& tape,
                                     const kernels::Context<float>& context) {
  const Topology& topology = specimen.network.topology;
  const std::size_t samples = gradient_samples(specimen);
  const Result<Runtime<double>> runtime = Runtime<double>::reference();
  if (!runtime) {
    return tl::unexpected(runtime.error());
  }
  Tape<float> part = tape;
  part.batch = samples;
  Matrix<float> output_gradient(samples, topology.outputs);
  std::vector<float> losses(samples);
  const double loss = nn::loss_and_gradient<float>(
      Loss::kCrossEntropy, part.output(),
      {.labels = std::span(specimen.labels).first(samples), .values = {}}, losses, output_gradient,
      context);
  std::vector<DenseLayer<float>> gradients = nn::zero_layers<float>(topology);
  nn::backward<float>(specimen.network, specimen.inputs.view().rows_from(0, samples), part,
                      output_gradient, gradients, context);
  const ExactGradients exact = exact_gradients(specimen, tape, samples, runtime->context());
  Comparison worst = compare_gradients(gradients, exact.layers, topology, samples);
  worst = worse_of(worst, compare_losses(loss, exact.loss, part));
  return verdict(subject, worst,
                 fmt::format("{} on the same activations, {}", kComparedWith,
                             describe_samples(samples, specimen.inputs.rows())));
}

Result<Verification> verify_training_step(const std::string& subject, const Specimen& specimen,
                                          nn::OptimizerKind kind,
                                          const kernels::Context<float>& context) {
  constexpr double kOrdinaryRate = 1e-2;
  const Topology& topology = specimen.network.topology;
  const std::size_t samples = gradient_samples(specimen);
  const Result<Runtime<double>> runtime = Runtime<double>::reference();
  if (!runtime) {
    return tl::unexpected(runtime.error());
  }
  const MatrixView<const float> inputs = specimen.inputs.view().rows_from(0, samples);
  const std::span<const std::uint32_t> labels = std::span(specimen.labels).first(samples);
  Mlp<float> network = specimen.network;
  // As it is timed; and once more, the same to the bit, to see its gradients.
  nn::TrainingStep<float> step(topology, samples, Loss::kCrossEntropy, {.kind = kind});
  const double loss =
      step.run(network, inputs, {.labels = labels, .values = {}}, kOrdinaryRate, context);
  Mlp<float> other = specimen.network;
  nn::TrainingStep<float> keeping(topology, samples, Loss::kCrossEntropy, {.kind = kind}, true);
  (void)keeping.run(other, inputs, {.labels = labels, .values = {}}, kOrdinaryRate, context);
  // The same passes again, to the bit: the activations that the step used.
  Tape<float> tape(topology, samples);
  nn::forward<float>(specimen.network, inputs, tape, context);
  const ExactGradients exact = exact_gradients(specimen, tape, samples, runtime->context());
  Comparison worst = compare_gradients(keeping.gradients(), exact.layers, topology, samples);
  worst = worse_of(worst, compare_losses(loss, exact.loss, tape));
  // The update, from the gradients as the step had them: Adam's first is rate * sign(g) nearly
  // everywhere, which turns a gradient's rounding error into a change of sign.
  Mlp<double> updated = nn::convert<double>(specimen.network);
  nn::Optimizer<double> optimizer(topology, {.kind = kind});
  const Mlp<double> gradients = nn::convert<double>(Mlp<float>{topology, keeping.gradients()});
  optimizer.step(kOrdinaryRate, gradients.layers, updated, runtime->context());
  constexpr std::size_t kUpdateOperations = 13;
  for (std::size_t layer = 0; layer < updated.layers.size(); ++layer) {
    const MatrixView<const double> weights = updated.layers[layer].weights.view();
    const std::span<const double> bias = updated.layers[layer].bias;
    const double scale = std::max(largest_magnitude(weights), largest_magnitude(bias));
    const double allowed = rounding_bound(1, kUpdateOperations, scale + kOrdinaryRate);
    worst = worse_of(worst, {largest_deviation(network.layers[layer].weights, weights), allowed});
    worst = worse_of(
        worst,
        {largest_deviation(std::span<const float>(network.layers[layer].bias), bias), allowed});
  }
  return verdict(
      subject, worst,
      fmt::format("{} (gradients on the same activations, update on the same gradients), "
                  "{}",
                  kComparedWith, describe_samples(samples, specimen.inputs.rows())));
}

Result<void> verify_standing(const std::string& subject, const Mlp<float>& network,
                             const Specimen& specimen) {
  // Only a weight that is (nearly) zero can move at all, by 10 gradients x 1e-20 a step.
  constexpr double kMovementAllowed = 1e-12;
  const Mlp<double> before = nn::convert<double>(specimen.network);
  for (std::size_t layer = 0; layer < before.layers.size(); ++layer) {
    const double moved =
        std::max(largest_deviation(network.layers[layer].weights, before.layers[layer].weights),
                 largest_deviation(std::span<const float>(network.layers[layer].bias),
                                   std::span<const double>(before.layers[layer].bias)));
    if (moved > kMovementAllowed) {
      return fail("{}: layer {}: the timed steps moved a parameter by {:.3g}: their work changes",
                  subject, layer, moved);
    }
  }
  return {};
}

}  // namespace interpscale::study
