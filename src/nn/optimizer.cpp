// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/optimizer.hpp"

#include <algorithm>
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

/// body(offset, length) for every stretch of elements that follow each other in memory: one where
/// rows have no padding, else one a row.
template <class T, class Body>
void for_each_run(MatrixView<T> matrix, const Body& body) {
  if (matrix.leading_dimension() == matrix.cols()) {
    body(std::size_t{0}, matrix.rows() * matrix.cols());
    return;
  }
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    body(i * matrix.leading_dimension(), matrix.cols());
  }
}

/// Rows of a gradient that are made before they are used: what a second-level cache holds beside
/// the product's operands, in multiples of the chunks that backends cut a product into.
std::size_t panel_rows(std::size_t row_bytes, int threads) {
  constexpr std::size_t kPanelBytes = std::size_t{256} << 10U;
  constexpr std::size_t kChunkRows = 64;
  const std::size_t least = kChunkRows * static_cast<std::size_t>(std::max(threads, 1));
  return std::max(least, kPanelBytes / row_bytes / kChunkRows * kChunkRows);
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
void Optimizer<T>::update(double learning_rate, std::span<const T> gradient, std::span<T> first,
                          std::span<T> second, std::span<T> parameters,
                          const kernels::Context<T>& context) const {
  const auto rate = static_cast<T>(learning_rate);
  if (options_.kind == OptimizerKind::kSgd) {
    context.backend.sgd_step({rate, static_cast<T>(options_.momentum)}, gradient, first, parameters,
                             context);
    return;
  }
  const kernels::AdamStep<T> step{rate, static_cast<T>(options_.beta1),
                                  static_cast<T>(options_.beta2), static_cast<T>(options_.epsilon),
                                  steps_};
  context.backend.adam_step(step, gradient, first, second, parameters, context);
}

template <class T>
void Optimizer<T>::step(double learning_rate, const std::vector<DenseLayer<T>>& gradients,
                        Mlp<T>& network, const kernels::Context<T>& context) {
  require(gradients.size() == first_.size() && network.layers.size() == first_.size(),
          "optimizer: gradients or network of another topology");
  begin_step();
  for_each_stretch(gradients, first_, second_, network,
                   [&](std::span<const T> gradient, std::span<T> first, std::span<T> second,
                       std::span<T> parameters) {
                     update(learning_rate, gradient, first, second, parameters, context);
                   });
}

template <class T>
void Optimizer<T>::update_layer(std::size_t layer, MatrixView<const T> dz,
                                MatrixView<const T> below, double learning_rate, Mlp<T>& network,
                                const kernels::Context<T>& context) {
  require(layer < first_.size() && network.layers.size() == first_.size(),
          "optimizer: no such layer, or network of another topology");
  DenseLayer<T>& dense = network.layers[layer];
  update_weights(layer, dz, below, learning_rate, dense.weights, context);
  const Workspace::Scope scope(context.workspace);
  const std::span<T> sums = context.workspace.template vector<T>(dense.bias.size());
  context.backend.column_sums(dz, T{0}, sums, context);
  update(learning_rate, sums, first_[layer].bias,
         second_.empty() ? std::span<T>{} : std::span<T>(second_[layer].bias), dense.bias, context);
}

template <class T>
void Optimizer<T>::update_weights(std::size_t layer, MatrixView<const T> dz,
                                  MatrixView<const T> below, double learning_rate,
                                  Matrix<T>& weights, const kernels::Context<T>& context) {
  using kernels::GemmCase;
  if (keeps_no_moments()) {
    context.backend.gemm(GemmCase::kTN, dz, below, weights,
                         {.alpha = -static_cast<T>(learning_rate), .beta = T{1}}, context);
    return;
  }
  const std::size_t rows = weights.rows();
  const std::size_t leading = weights.leading_dimension();
  const std::size_t panel = std::min(rows, panel_rows(leading * sizeof(T), context.threads));
  const Workspace::Scope scope(context.workspace);
  const std::span<T> scratch =
      context.workspace.template vector<T>(checked_product(panel, leading));
  for (std::size_t first = 0; first < rows; first += panel) {
    const std::size_t count = std::min(panel, rows - first);
    const MatrixView<T> gradient(scratch.data(), count, weights.cols(), leading);
    context.backend.gemm(GemmCase::kTN, dz.cols_from(first, count), below, gradient, {}, context);
    for_each_run(gradient, [&](std::size_t offset, std::size_t length) {
      const auto run = [&](Matrix<T>& matrix) {
        return matrix.padded().subspan(first * leading + offset, length);
      };
      update(learning_rate, scratch.subspan(offset, length), run(first_[layer].weights),
             second_.empty() ? std::span<T>{} : run(second_[layer].weights), run(weights), context);
    });
  }
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace interpscale::nn
