// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/training_step.hpp"

#include <span>

#include "nn/backward_layers.hpp"

namespace interpscale::nn {
namespace {

/// What `Optimizer::update_layer` adds to the product and the sums that make the gradients.
kernels::Flops update_layer_flops(std::uint64_t inputs, std::uint64_t outputs,
                                  const OptimizerOptions& optimizer) {
  if (optimizer.kind == OptimizerKind::kAdam) {
    return kernels::adam_step_flops((inputs + 1) * outputs);
  }
  if (optimizer.momentum != 0.0) {
    return kernels::sgd_step_flops((inputs + 1) * outputs);
  }
  // Scaled and added to the weights as the product is stored.
  return 2 * inputs * outputs + kernels::sgd_step_flops(outputs);
}

}  // namespace

template <class T>
TrainingStep<T>::TrainingStep(const Topology& topology, std::size_t batch, Loss loss,
                              const OptimizerOptions& optimizer, bool keep_gradients)
    : loss_(loss),
      tape_(topology, batch),
      losses_(batch),
      output_gradient_(batch, topology.outputs),
      gradients_(keep_gradients ? zero_layers<T>(topology) : std::vector<DenseLayer<T>>{}),
      optimizer_(topology, optimizer) {}

template <class T>
double TrainingStep<T>::run(Mlp<T>& network, MatrixView<const T> inputs, const Targets<T>& targets,
                            double learning_rate, const kernels::Context<T>& context) {
  const std::size_t batch = inputs.rows();
  require(batch > 0 && batch <= losses_.size(), "training step: batch empty or above its capacity");
  forward(network, inputs, tape_, context);
  const MatrixView<T> output_gradient = output_gradient_.view().rows_from(0, batch);
  const MatrixView<const T> outputs = tape_.output();
  const double loss = loss_and_gradient(loss_, outputs, targets, std::span<T>(losses_).first(batch),
                                        output_gradient, context);
  if (!gradients_.empty()) {
    backward<T>(network, inputs, tape_, output_gradient, gradients_, context);
    optimizer_.step(learning_rate, gradients_, network, context);
    return loss;
  }
  optimizer_.begin_step();
  backward_layers<T>(network, inputs, tape_, output_gradient, context,
                     [&](std::size_t layer, MatrixView<const T> dz, MatrixView<const T> below) {
                       optimizer_.update_layer(layer, dz, below, learning_rate, network, context);
                     });
  return loss;
}

kernels::Flops training_step_flops(const Topology& topology, std::size_t batch, Loss loss,
                                   const OptimizerOptions& optimizer) {
  const kernels::Flops loss_flops =
      loss == Loss::kCrossEntropy ? kernels::cross_entropy_gradient_flops(batch, topology.outputs)
                                  : kernels::squared_error_gradient_flops(batch, topology.outputs);
  kernels::Flops update_flops = 0;
  for (std::size_t layer = 0; layer < topology.layers(); ++layer) {
    update_flops += update_layer_flops(topology.fan_in(layer), topology.fan_out(layer), optimizer);
  }
  return forward_flops(topology, batch) + loss_flops + backward_flops(topology, batch) +
         update_flops;
}

kernels::Flops training_step_flops(const Topology& topology, std::size_t batch, Loss loss,
                                   OptimizerKind optimizer) {
  return training_step_flops(topology, batch, loss, OptimizerOptions{.kind = optimizer});
}

template class TrainingStep<float>;
template class TrainingStep<double>;

}  // namespace interpscale::nn
