// SPDX-License-Identifier: Apache-2.0
#include "interpscale/nn/loss.hpp"

#include <algorithm>
#include <numeric>

namespace interpscale::nn {

template <class T>
double loss_and_gradient(Loss loss, MatrixView<const T> outputs, const Targets<T>& targets,
                         std::span<T> losses, MatrixView<T> gradient,
                         const kernels::Context<T>& context) {
  const std::size_t batch = outputs.rows();
  require(batch > 0, "loss of an empty batch");
  require(losses.size() == batch, "losses are not [B]");
  const T scale = T{1} / static_cast<T>(batch);
  if (loss == Loss::kCrossEntropy) {
    require(targets.labels.size() == batch, "cross-entropy needs labels [B]");
    context.backend.cross_entropy_gradient(outputs, targets.labels, scale, losses, gradient,
                                           context);
  } else {
    require(targets.values.rows() == batch && targets.values.cols() == outputs.cols(),
            "squared error needs values [B, C]");
    context.backend.squared_error_gradient(outputs, targets.values, scale, losses, gradient,
                                           context);
  }
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(batch);
}

template <class T>
double accuracy(MatrixView<const T> outputs, std::span<const std::uint32_t> labels) {
  require(outputs.rows() > 0 && labels.size() == outputs.rows(), "accuracy needs labels [B]");
  std::size_t correct = 0;
  for (std::size_t b = 0; b < outputs.rows(); ++b) {
    const std::span<const T> row = outputs.row(b);
    correct += std::max_element(row.begin(), row.end()) - row.begin() == labels[b] ? 1U : 0U;
  }
  return static_cast<double>(correct) / static_cast<double>(outputs.rows());
}

template double loss_and_gradient<float>(Loss, MatrixView<const float>, const Targets<float>&,
                                         std::span<float>, MatrixView<float>,
                                         const kernels::Context<float>&);
template double loss_and_gradient<double>(Loss, MatrixView<const double>, const Targets<double>&,
                                          std::span<double>, MatrixView<double>,
                                          const kernels::Context<double>&);
template double accuracy<float>(MatrixView<const float>, std::span<const std::uint32_t>);
template double accuracy<double>(MatrixView<const double>, std::span<const std::uint32_t>);

}  // namespace interpscale::nn
