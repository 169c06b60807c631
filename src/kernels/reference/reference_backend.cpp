// SPDX-License-Identifier: Apache-2.0
#include "kernels/reference/reference_backend.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/adam_factors.hpp"
#include "kernels/checks.hpp"
#include "kernels/reference/active_loops.hpp"
#include "kernels/reference/scalar_activation.hpp"

namespace interpscale::kernels {
namespace {

/// The largest logit, and sum_c exp(logit - largest).
template <class T>
struct SoftmaxSums {
  T largest;
  T exponentials;
};

template <class T>
SoftmaxSums<T> softmax_sums(std::span<const T> logits) {
  const T largest = *std::max_element(logits.begin(), logits.end());
  T exponentials = T{0};
  for (const T logit : logits) {
    exponentials += std::exp(logit - largest);
  }
  return {largest, exponentials};
}

}  // namespace

template <class T>
void ReferenceBackend<T>::gemm(GemmCase which, MatrixView<const T> a, MatrixView<const T> b,
                               MatrixView<T> c, const Epilogue<T>& epilogue,
                               const Execution&) const {
  const GemmShape shape = gemm_shape<T>(which, a, b, c, epilogue);
  for (std::size_t i = 0; i < shape.m; ++i) {
    for (std::size_t j = 0; j < shape.n; ++j) {
      T product = T{0};
      for (std::size_t p = 0; p < shape.k; ++p) {
        product += (which == GemmCase::kTN ? a(p, i) : a(i, p)) *
                   (which == GemmCase::kNT ? b(j, p) : b(p, j));
      }
      T value = epilogue.alpha * product;
      value += epilogue.beta == T{0} ? T{0} : epilogue.beta * c(i, j);
      value += epilogue.bias.empty() ? T{0} : epilogue.bias[j];
      value = epilogue.relu ? std::max(value, T{0}) : value;
      const bool kept = epilogue.mask.empty() || epilogue.mask(i, j) > T{0};
      c(i, j) = kept ? value : T{0};
    }
  }
}

template <class T>
void ReferenceBackend<T>::activate(Activation phi, MatrixView<const T> z, MatrixView<T> h,
                                   const Execution&) const {
  checks::same_shape(z, h);
  for (std::size_t i = 0; i < z.rows(); ++i) {
    for (std::size_t j = 0; j < z.cols(); ++j) {
      h(i, j) = scalar_activation(phi, z(i, j));
    }
  }
}

template <class T>
void ReferenceBackend<T>::multiply_by_slope(Activation phi, MatrixView<const T> h, MatrixView<T> g,
                                            const Execution&) const {
  checks::same_shape(h, g);
  for (std::size_t i = 0; i < h.rows(); ++i) {
    for (std::size_t j = 0; j < h.cols(); ++j) {
      g(i, j) *= scalar_slope(phi, h(i, j));
    }
  }
}

template <class T>
void ReferenceBackend<T>::multiply(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out,
                                   const Execution&) const {
  checks::same_shape(a, out);
  checks::same_shape(b, out);
  for (std::size_t i = 0; i < out.rows(); ++i) {
    for (std::size_t j = 0; j < out.cols(); ++j) {
      out(i, j) = a(i, j) * b(i, j);
    }
  }
}

template <class T>
void ReferenceBackend<T>::accumulate_path_step(MatrixView<const T> next, MatrixView<const T> now,
                                               MatrixView<const T> gradient, MatrixView<T> out,
                                               const Execution&) const {
  checks::same_shape(next, out);
  checks::same_shape(now, out);
  checks::same_shape(gradient, out);
  for (std::size_t i = 0; i < out.rows(); ++i) {
    for (std::size_t j = 0; j < out.cols(); ++j) {
      out(i, j) += (next(i, j) - now(i, j)) * gradient(i, j);
    }
  }
}

template <class T>
void ReferenceBackend<T>::interpolate(MatrixView<const T> from, MatrixView<const T> to, T t,
                                      MatrixView<T> out, const Execution&) const {
  checks::same_shape(from, out);
  checks::same_shape(to, out);
  for (std::size_t i = 0; i < out.rows(); ++i) {
    for (std::size_t j = 0; j < out.cols(); ++j) {
      out(i, j) = from(i, j) + t * (to(i, j) - from(i, j));
    }
  }
}

template <class T>
void ReferenceBackend<T>::column_sums(MatrixView<const T> a, T beta, std::span<T> out,
                                      const Execution&) const {
  checks::columns_fit<T>(a, out);
  for (std::size_t j = 0; j < a.cols(); ++j) {
    T sum = T{0};
    for (std::size_t i = 0; i < a.rows(); ++i) {
      sum += a(i, j);
    }
    out[j] = beta == T{0} ? sum : beta * out[j] + sum;
  }
}

template <class T>
void ReferenceBackend<T>::column_moments(MatrixView<const T> a, const ColumnMoments<T>& out,
                                         const Execution&) const {
  checks::moments_fit(a, out);
  const T rows = static_cast<T>(a.rows());
  for (std::size_t j = 0; j < a.cols(); ++j) {
    T sum = T{0};
    for (std::size_t i = 0; i < a.rows(); ++i) {
      sum += a(i, j);
    }
    out.mean[j] = sum / rows;
    T squares = T{0};
    T positive = T{0};
    for (std::size_t i = 0; i < a.rows(); ++i) {
      const T deviation = a(i, j) - out.mean[j];
      squares += deviation * deviation;
      positive += a(i, j) > T{0} ? T{1} : T{0};
    }
    out.variance[j] = squares / rows;
    out.positive_fraction[j] = positive / rows;
  }
}

template <class T>
void ReferenceBackend<T>::cross_entropy(MatrixView<const T> logits,
                                        std::span<const std::uint32_t> labels, std::span<T> losses,
                                        const Execution&) const {
  checks::labels_fit<T>(logits, labels, losses);
  for (std::size_t b = 0; b < logits.rows(); ++b) {
    const SoftmaxSums<T> sums = softmax_sums<T>(logits.row(b));
    losses[b] = std::log(sums.exponentials) - (logits(b, labels[b]) - sums.largest);
  }
}

template <class T>
void ReferenceBackend<T>::cross_entropy_gradient(MatrixView<const T> logits,
                                                 std::span<const std::uint32_t> labels, T scale,
                                                 std::span<T> losses, MatrixView<T> gradient,
                                                 const Execution&) const {
  checks::labels_fit<T>(logits, labels, losses);
  checks::same_shape(logits, gradient);
  for (std::size_t b = 0; b < logits.rows(); ++b) {
    const SoftmaxSums<T> sums = softmax_sums<T>(logits.row(b));
    losses[b] = std::log(sums.exponentials) - (logits(b, labels[b]) - sums.largest);
    for (std::size_t c = 0; c < logits.cols(); ++c) {
      const T probability = std::exp(logits(b, c) - sums.largest) / sums.exponentials;
      gradient(b, c) = scale * (probability - (c == labels[b] ? T{1} : T{0}));
    }
  }
}

template <class T>
void ReferenceBackend<T>::soft_cross_entropy(MatrixView<const T> logits,
                                             MatrixView<const T> targets, std::span<T> losses,
                                             std::span<T> magnitudes, const Execution&) const {
  checks::soft_targets_fit<T>(logits, targets, losses, magnitudes);
  for (std::size_t b = 0; b < logits.rows(); ++b) {
    const SoftmaxSums<T> sums = softmax_sums<T>(logits.row(b));
    T below = T{0};
    magnitudes[b] = T{0};
    for (std::size_t c = 0; c < logits.cols(); ++c) {
      below += targets(b, c) * (sums.largest - logits(b, c));
      magnitudes[b] = std::max(magnitudes[b], std::abs(logits(b, c)));
    }
    losses[b] = std::log(sums.exponentials) + below;
  }
}

template <class T>
void ReferenceBackend<T>::squared_error_gradient(MatrixView<const T> predictions,
                                                 MatrixView<const T> targets, T scale,
                                                 std::span<T> losses, MatrixView<T> gradient,
                                                 const Execution&) const {
  checks::same_shape(predictions, targets);
  checks::same_shape(predictions, gradient);
  require(losses.size() == predictions.rows(), "losses are not [B]");
  const T outputs = static_cast<T>(predictions.cols());
  const T factor = T{2} * scale / outputs;
  for (std::size_t b = 0; b < predictions.rows(); ++b) {
    T squares = T{0};
    for (std::size_t c = 0; c < predictions.cols(); ++c) {
      const T error = predictions(b, c) - targets(b, c);
      squares += error * error;
      gradient(b, c) = factor * error;
    }
    losses[b] = squares / outputs;
  }
}

template <class T>
void ReferenceBackend<T>::sgd_step(const SgdStep<T>& step, std::span<const T> gradient,
                                   std::span<T> velocity, std::span<T> weights,
                                   const Execution&) const {
  checks::same_length<T>(gradient, velocity, weights);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    velocity[i] = step.momentum * velocity[i] + gradient[i];
    weights[i] -= step.rate * velocity[i];
  }
}

template <class T>
void ReferenceBackend<T>::adam_step(const AdamStep<T>& step, std::span<const T> gradient,
                                    std::span<T> first, std::span<T> second, std::span<T> weights,
                                    const Execution&) const {
  checks::same_length<T>(gradient, first, weights);
  checks::same_length<T>(gradient, second, weights);
  const AdamFactors<T> factors = adam_factors(step);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const T g = gradient[i];
    first[i] = step.beta1 * first[i] + (T{1} - step.beta1) * g;
    second[i] = step.beta2 * second[i] + (T{1} - step.beta2) * g * g;
    weights[i] -=
        factors.rate * first[i] / (std::sqrt(second[i] / factors.second_correction) + step.epsilon);
  }
}

template <class T>
void ReferenceBackend<T>::rank_one_rows(MatrixView<const T> z, MatrixView<const T> columns,
                                        const SparseRows<T>& rows, bool relu, MatrixView<T> out,
                                        const Execution&) const {
  checks::sparse_rows_fit<T>(z, columns, rows, out);
  for (std::size_t r = 0; r < out.rows(); ++r) {
    for (std::size_t j = 0; j < out.cols(); ++j) {
      const T value = z(rows.sample[r], j) + rows.delta[r] * columns(rows.unit[r], j);
      out(r, j) = relu ? std::max(value, T{0}) : value;
    }
  }
}

template <class T>
void ReferenceBackend<T>::transpose(MatrixView<const T> a, MatrixView<T> out,
                                    const Execution&) const {
  checks::transposed_shape<T>(a, out);
  for (std::size_t i = 0; i < a.rows(); ++i) {
    for (std::size_t j = 0; j < a.cols(); ++j) {
      out(j, i) = a(i, j);
    }
  }
}

template <class T>
void ReferenceBackend<T>::scale_jacobian_rows(Activation phi, MatrixView<const T> h,
                                              std::size_t inputs, MatrixView<T> jacobian,
                                              const Execution&) const {
  checks::jacobian_fits<T>(h, inputs, jacobian);
  for (std::size_t j = 0; j < h.cols(); ++j) {
    for (std::size_t s = 0; s < h.rows(); ++s) {
      const T slope = scalar_slope(phi, h(s, j));
      for (std::size_t i = 0; i < inputs; ++i) {
        jacobian(j, s * inputs + i) *= slope;
      }
    }
  }
}

template <class T>
void ReferenceBackend<T>::first_jacobian(Activation phi, MatrixView<const T> h,
                                         MatrixView<const T> weights, MatrixView<T> jacobian,
                                         const Execution&) const {
  checks::jacobian_fits<T>(h, weights.cols(), jacobian);
  require(weights.rows() == h.cols(), "jacobian: weights have not one row a unit");
  for (std::size_t j = 0; j < h.cols(); ++j) {
    for (std::size_t s = 0; s < h.rows(); ++s) {
      const T slope = scalar_slope(phi, h(s, j));
      for (std::size_t i = 0; i < weights.cols(); ++i) {
        jacobian(j, s * weights.cols() + i) = slope * weights(j, i);
      }
    }
  }
}

template <class T>
void ReferenceBackend<T>::accumulate_jacobian(MatrixView<const T> jacobian, T scale, bool absolute,
                                              MatrixView<T> out, const Execution&) const {
  checks::jacobian_sums_fit<T>(jacobian, out);
  for (std::size_t j = 0; j < out.rows(); ++j) {
    for (std::size_t i = 0; i < out.cols(); ++i) {
      T sum = T{0};
      for (std::size_t column = i; column < jacobian.cols(); column += out.cols()) {
        const T entry = jacobian(j, column);
        sum += absolute ? std::abs(entry) : entry;
      }
      out(j, i) += scale * sum;
    }
  }
}

template <class T>
void ReferenceBackend<T>::first_active_jacobian(MatrixView<const T> h, MatrixView<const T> weights,
                                                MatrixView<const T> factors, MatrixView<T> jacobian,
                                                const Execution&) const {
  checks::first_active_jacobian_fits<T>(h, weights, factors, jacobian);
  loops::first_active_jacobian(h, weights, factors, jacobian);
}

template <class T>
void ReferenceBackend<T>::next_active_jacobian(const ActiveLayer<T>& layer,
                                               MatrixView<const T> below, MatrixView<T> jacobian,
                                               const Execution&) const {
  checks::next_active_jacobian_fits<T>(layer, below, jacobian);
  loops::next_active_jacobian(layer, below, jacobian);
}

template <class T>
void ReferenceBackend<T>::accumulate_active_jacobian(const ActiveSum<T>& sum,
                                                     MatrixView<const T> jacobian,
                                                     MatrixView<T> out, const Execution&) const {
  checks::active_sum_fits<T>(sum, jacobian, out);
  loops::accumulate_active_jacobian(sum, jacobian, out);
}

template <class T>
void ReferenceBackend<T>::rank_one_products(const RestartedLayers<T>& layers,
                                            const SparseRows<T>& rows, MatrixView<T> out,
                                            const Execution&) const {
  checks::restarted_layers_fit<T>(layers, rows, out);
  loops::rank_one_products(layers, rows, out);
}

template class ReferenceBackend<float>;
template class ReferenceBackend<double>;

}  // namespace interpscale::kernels
