// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/optimizer.hpp"

#include <span>

namespace interpscale::nn {
namespace {

/// The elements of `matrix` in `pieces` spans of equal length: one where rows follow each other
/// without padding, else one a row. Padding is left out so that the work counted is N's.
template <class T>
std::size_t pieces(const Matrix<T>& matrix) {
  return matrix.leading_dimension() == matrix.cols() ? 1 : matrix.rows();
}

template <class M>
auto piece(M& matrix, std::size_t index) {
  return pieces(matrix) == 1 ? matrix.padded().first(matrix.rows() * matrix.cols())
                             : matrix.row(index);
}

/// update(gradient, first, second, parameters) for every stretch of parameters.
template <class T, class Update>
void for_each_stretch(const std::vector<DenseLayer<T>>& gradients,
                      std::vector<DenseLayer<T>>& first, std::vector<DenseLayer<T>>& second,
                      Mlp<T>& network, const Update& update) {
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    Matrix<T>& weights = network.layers[l].weights;
    for (std::size_t i = 0; i < pieces(weights); ++i) {
      update(piece(gradients[l].weights, i), piece(first[l].weights, i),
             second.empty() ? std::span<T>{} : piece(second[l].weights, i), piece(weights, i));
    }
    update(std::span<const T>(gradients[l].bias), std::span<T>(first[l].bias),
           second.empty() ? std::span<T>{} : std::span<T>(second[l].bias),
           std::span<T>(network.layers[l].bias));
  }
}

}  // namespace

template <class T>
Optimizer<T>::Optimizer(const Topology& topology, const OptimizerOptions& options)
    : options_(options), first_(zero_layers<T>(topology)) {
  if (options.kind == OptimizerKind::kAdam) {
    second_ = zero_layers<T>(topology);
  }
}

template <class T>
void Optimizer<T>::step(double learning_rate, const std::vector<DenseLayer<T>>& gradients,
                        Mlp<T>& network, const kernels::Context<T>& context) {
  require(gradients.size() == first_.size() && network.layers.size() == first_.size(),
          "optimizer: gradients or network of another topology");
  ++steps_;
  const auto rate = static_cast<T>(learning_rate);
  if (options_.kind == OptimizerKind::kSgd) {
    const kernels::SgdStep<T> step{rate, static_cast<T>(options_.momentum)};
    for_each_stretch(gradients, first_, second_, network,
                     [&](std::span<const T> gradient, std::span<T> velocity, std::span<T>,
                         std::span<T> parameters) {
                       context.backend.sgd_step(step, gradient, velocity, parameters, context);
                     });
    return;
  }
  const kernels::AdamStep<T> step{rate, static_cast<T>(options_.beta1),
                                  static_cast<T>(options_.beta2), static_cast<T>(options_.epsilon),
                                  steps_};
  for_each_stretch(gradients, first_, second_, network,
                   [&](std::span<const T> gradient, std::span<T> first, std::span<T> second,
                       std::span<T> parameters) {
                     context.backend.adam_step(step, gradient, first, second, parameters, context);
                   });
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace interpscale::nn
