// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/simd_backend.hpp"

#include "kernels/checks.hpp"
#include "kernels/simd/active_products.hpp"
#include "kernels/simd/blocked_gemm.hpp"
#include "kernels/simd/share.hpp"

namespace interpscale::kernels {
namespace {

using simd::bytes_of;
using simd::kStep;
using simd::share;

/// The rows of `a` as `share` hands them out; an empty view stays one.
template <class T>
MatrixView<T> part(MatrixView<T> a, std::size_t first, std::size_t count) {
  return a.empty() ? a : a.rows_from(first, count);
}

}  // namespace

template <class T>
SimdBackend<T>::SimdBackend(simd::TargetBit target)
    : SimdAnalyses<T>(target), target_(simd::target_name(target)) {
  simd::select(target, table_.gemm);
  simd::select(target, table_.few);
  simd::select(target, table_.elementwise);
  simd::select(target, table_.reductions);
  simd::select(target, table_.losses);
  simd::select(target, table_.optimizers);
  simd::select(target, table_.rows);
  simd::select(target, table_.jacobian);
  simd::select(target, table_.active);
}

template <class T>
void SimdBackend<T>::gemm(GemmCase which, MatrixView<const T> a, MatrixView<const T> b,
                          MatrixView<T> c, const Epilogue<T>& epilogue,
                          const Execution& with) const {
  simd::blocked_gemm<T>({table_.gemm, table_.few}, which, a, b, c, epilogue, with);
}

template <class T>
void SimdBackend<T>::activate(Activation phi, MatrixView<const T> z, MatrixView<T> h,
                              const Execution& with) const {
  checks::same_shape(z, h);
  share(with, h.rows(), 1, bytes_of<T>(h), [&](std::size_t first, std::size_t count) {
    table_.elementwise.activate(phi, z.rows_from(first, count), h.rows_from(first, count));
  });
}

template <class T>
void SimdBackend<T>::multiply_by_slope(Activation phi, MatrixView<const T> h, MatrixView<T> g,
                                       const Execution& with) const {
  checks::same_shape(h, g);
  share(with, g.rows(), 1, bytes_of<T>(g), [&](std::size_t first, std::size_t count) {
    table_.elementwise.multiply_by_slope(phi, h.rows_from(first, count), g.rows_from(first, count));
  });
}

template <class T>
void SimdBackend<T>::multiply(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out,
                              const Execution& with) const {
  checks::same_shape(a, out);
  checks::same_shape(b, out);
  share(with, out.rows(), 1, bytes_of<T>(out), [&](std::size_t first, std::size_t count) {
    table_.elementwise.multiply(a.rows_from(first, count), b.rows_from(first, count),
                                out.rows_from(first, count));
  });
}

template <class T>
void SimdBackend<T>::accumulate_path_step(MatrixView<const T> next, MatrixView<const T> now,
                                          MatrixView<const T> gradient, MatrixView<T> out,
                                          const Execution& with) const {
  checks::same_shape(next, out);
  checks::same_shape(now, out);
  checks::same_shape(gradient, out);
  share(with, out.rows(), 1, bytes_of<T>(out), [&](std::size_t first, std::size_t count) {
    table_.elementwise.accumulate_path_step(
        next.rows_from(first, count), now.rows_from(first, count), gradient.rows_from(first, count),
        out.rows_from(first, count));
  });
}

template <class T>
void SimdBackend<T>::interpolate(MatrixView<const T> from, MatrixView<const T> to, T t,
                                 MatrixView<T> out, const Execution& with) const {
  checks::same_shape(from, out);
  checks::same_shape(to, out);
  share(with, out.rows(), 1, bytes_of<T>(out), [&](std::size_t first, std::size_t count) {
    table_.elementwise.interpolate(from.rows_from(first, count), to.rows_from(first, count), t,
                                   out.rows_from(first, count));
  });
}

template <class T>
void SimdBackend<T>::column_sums(MatrixView<const T> a, T beta, std::span<T> out,
                                 const Execution& with) const {
  checks::columns_fit<T>(a, out);
  share(with, a.cols(), kStep, bytes_of(a), [&](std::size_t first, std::size_t count) {
    table_.reductions.column_sums(a.cols_from(first, count), beta, out.subspan(first, count));
  });
}

template <class T>
void SimdBackend<T>::column_moments(MatrixView<const T> a, const ColumnMoments<T>& out,
                                    const Execution& with) const {
  checks::moments_fit(a, out);
  share(with, a.cols(), kStep, bytes_of(a), [&](std::size_t first, std::size_t count) {
    table_.reductions.column_moments(
        a.cols_from(first, count),
        {out.mean.subspan(first, count), out.variance.subspan(first, count),
         out.positive_fraction.subspan(first, count)});
  });
}

template <class T>
void SimdBackend<T>::cross_entropy(MatrixView<const T> logits,
                                   std::span<const std::uint32_t> labels, std::span<T> losses,
                                   const Execution& with) const {
  checks::labels_fit<T>(logits, labels, losses);
  share(with, logits.rows(), kStep, bytes_of(logits), [&](std::size_t first, std::size_t count) {
    table_.losses.cross_entropy(logits.rows_from(first, count), labels.subspan(first, count), T{1},
                                losses.subspan(first, count), {});
  });
}

template <class T>
void SimdBackend<T>::cross_entropy_gradient(MatrixView<const T> logits,
                                            std::span<const std::uint32_t> labels, T scale,
                                            std::span<T> losses, MatrixView<T> gradient,
                                            const Execution& with) const {
  checks::labels_fit<T>(logits, labels, losses);
  checks::same_shape(logits, gradient);
  share(with, logits.rows(), kStep, bytes_of(logits), [&](std::size_t first, std::size_t count) {
    table_.losses.cross_entropy(logits.rows_from(first, count), labels.subspan(first, count), scale,
                                losses.subspan(first, count), part(gradient, first, count));
  });
}

template <class T>
void SimdBackend<T>::soft_cross_entropy(MatrixView<const T> logits, MatrixView<const T> targets,
                                        std::span<T> losses, std::span<T> magnitudes,
                                        const Execution& with) const {
  checks::soft_targets_fit<T>(logits, targets, losses, magnitudes);
  share(with, logits.rows(), kStep, bytes_of(logits), [&](std::size_t first, std::size_t count) {
    table_.losses.soft_cross_entropy(logits.rows_from(first, count),
                                     targets.rows_from(first, count), losses.subspan(first, count),
                                     magnitudes.subspan(first, count));
  });
}

template <class T>
void SimdBackend<T>::squared_error_gradient(MatrixView<const T> predictions,
                                            MatrixView<const T> targets, T scale,
                                            std::span<T> losses, MatrixView<T> gradient,
                                            const Execution& with) const {
  checks::same_shape(predictions, targets);
  checks::same_shape(predictions, gradient);
  require(losses.size() == predictions.rows(), "losses are not [B]");
  share(with, predictions.rows(), kStep, bytes_of(predictions),
        [&](std::size_t first, std::size_t count) {
          table_.losses.squared_error(
              predictions.rows_from(first, count), targets.rows_from(first, count), scale,
              losses.subspan(first, count), gradient.rows_from(first, count));
        });
}

template <class T>
void SimdBackend<T>::sgd_step(const SgdStep<T>& step, std::span<const T> gradient,
                              std::span<T> velocity, std::span<T> weights,
                              const Execution& with) const {
  checks::same_length<T>(gradient, velocity, weights);
  share(with, weights.size(), kStep, weights.size_bytes(),
        [&](std::size_t first, std::size_t count) {
          table_.optimizers.sgd(step, gradient.subspan(first, count),
                                velocity.subspan(first, count), weights.subspan(first, count));
        });
}

template <class T>
void SimdBackend<T>::adam_step(const AdamStep<T>& step, std::span<const T> gradient,
                               std::span<T> first_moment, std::span<T> second_moment,
                               std::span<T> weights, const Execution& with) const {
  checks::same_length<T>(gradient, first_moment, weights);
  checks::same_length<T>(gradient, second_moment, weights);
  const AdamFactors<T> factors = adam_factors(step);
  share(
      with, weights.size(), kStep, weights.size_bytes(), [&](std::size_t first, std::size_t count) {
        table_.optimizers.adam(step, factors, gradient.subspan(first, count),
                               first_moment.subspan(first, count),
                               second_moment.subspan(first, count), weights.subspan(first, count));
      });
}

template <class T>
void SimdBackend<T>::rank_one_rows(MatrixView<const T> z, MatrixView<const T> columns,
                                   const SparseRows<T>& rows, bool relu, MatrixView<T> out,
                                   const Execution& with) const {
  checks::sparse_rows_fit<T>(z, columns, rows, out);
  share(with, out.rows(), 1, bytes_of<T>(out), [&](std::size_t first, std::size_t count) {
    table_.rows.rank_one(z, columns,
                         {rows.sample.subspan(first, count), rows.unit.subspan(first, count),
                          rows.delta.subspan(first, count)},
                         relu, out.rows_from(first, count));
  });
}

template <class T>
void SimdBackend<T>::transpose(MatrixView<const T> a, MatrixView<T> out,
                               const Execution& with) const {
  checks::transposed_shape<T>(a, out);
  share(with, out.rows(), kStep, bytes_of(a), [&](std::size_t first, std::size_t count) {
    table_.rows.transpose(a.cols_from(first, count), out.rows_from(first, count));
  });
}

template <class T>
void SimdBackend<T>::scale_jacobian_rows(Activation phi, MatrixView<const T> h, std::size_t inputs,
                                         MatrixView<T> jacobian, const Execution& with) const {
  checks::jacobian_fits<T>(h, inputs, jacobian);
  share(with, jacobian.rows(), 1, bytes_of<T>(jacobian), [&](std::size_t first, std::size_t count) {
    table_.jacobian.scale(phi, h.cols_from(first, count), inputs, jacobian.rows_from(first, count));
  });
}

template <class T>
void SimdBackend<T>::first_jacobian(Activation phi, MatrixView<const T> h,
                                    MatrixView<const T> weights, MatrixView<T> jacobian,
                                    const Execution& with) const {
  checks::jacobian_fits<T>(h, weights.cols(), jacobian);
  require(weights.rows() == h.cols(), "jacobian: weights have not one row a unit");
  share(with, jacobian.rows(), 1, bytes_of<T>(jacobian), [&](std::size_t first, std::size_t count) {
    table_.jacobian.first(phi, h.cols_from(first, count), weights.rows_from(first, count),
                          jacobian.rows_from(first, count));
  });
}

template <class T>
void SimdBackend<T>::accumulate_jacobian(MatrixView<const T> jacobian, T scale, bool absolute,
                                         MatrixView<T> out, const Execution& with) const {
  checks::jacobian_sums_fit<T>(jacobian, out);
  share(with, out.rows(), 1, bytes_of(jacobian), [&](std::size_t first, std::size_t count) {
    table_.jacobian.accumulate(jacobian.rows_from(first, count), scale, absolute,
                               out.rows_from(first, count));
  });
}

template <class T>
void SimdBackend<T>::first_active_jacobian(MatrixView<const T> h, MatrixView<const T> weights,
                                           MatrixView<const T> factors, MatrixView<T> jacobian,
                                           const Execution& with) const {
  checks::first_active_jacobian_fits<T>(h, weights, factors, jacobian);
  simd::first_active_jacobian(table_, h, weights, factors, jacobian, with);
}

template <class T>
void SimdBackend<T>::next_active_jacobian(const ActiveLayer<T>& layer, MatrixView<const T> below,
                                          MatrixView<T> jacobian, const Execution& with) const {
  checks::next_active_jacobian_fits<T>(layer, below, jacobian);
  simd::next_active_jacobian(table_, layer, below, jacobian, with);
}

template <class T>
void SimdBackend<T>::accumulate_active_jacobian(const ActiveSum<T>& sum,
                                                MatrixView<const T> jacobian, MatrixView<T> out,
                                                const Execution& with) const {
  checks::active_sum_fits<T>(sum, jacobian, out);
  simd::accumulate_active_jacobian(table_, sum, jacobian, out, with);
}

template <class T>
void SimdBackend<T>::rank_one_products(const RestartedLayers<T>& layers, const SparseRows<T>& rows,
                                       MatrixView<T> out, const Execution& with) const {
  checks::restarted_layers_fit<T>(layers, rows, out);
  simd::rank_one_products(table_, layers, rows, out, with);
}

template class SimdBackend<float>;
template class SimdBackend<double>;

}  // namespace interpscale::kernels
