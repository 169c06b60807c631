// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/training_step.hpp"

#include <span>

namespace interpscale::nn {

template <class T>
TrainingStep<T>::TrainingStep(const Topology& topology, std::size_t batch, Loss loss,
                              const OptimizerOptions& optimizer)
    : loss_(loss),
      tape_(topology, batch),
      losses_(batch),
      output_gradient_(batch, topology.outputs),
      gradients_(zero_layers<T>(topology)),
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
  backward<T>(network, inputs, tape_, output_gradient, gradients_, context);
  optimizer_.step(learning_rate, gradients_, network, context);
  return loss;
}

kernels::Flops training_step_flops(const Topology& topology, std::size_t batch, Loss loss,
                                   OptimizerKind optimizer) {
  const kernels::Flops loss_flops =
      loss == Loss::kCrossEntropy ? kernels::cross_entropy_gradient_flops(batch, topology.outputs)
                                  : kernels::squared_error_gradient_flops(batch, topology.outputs);
  const kernels::Flops update_flops = optimizer == OptimizerKind::kSgd
                                          ? kernels::sgd_step_flops(topology.parameters())
                                          : kernels::adam_step_flops(topology.parameters());
  return forward_flops(topology, batch) + loss_flops + backward_flops(topology, batch) +
         update_flops;
}

template class TrainingStep<float>;
template class TrainingStep<double>;

}  // namespace interpscale::nn
