// The definition of every operation: obvious loops on one thread, sums in T and in their order.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/reference/reference_analyses.hpp"

namespace interpscale::kernels {

template <class T>
class ReferenceBackend : public ReferenceAnalyses<T> {
 public:
  [[nodiscard]] std::string_view name() const override { return "reference"; }
  [[nodiscard]] std::string_view target() const override { return ""; }

  void gemm(GemmCase which, MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> c,
            const Epilogue<T>& epilogue, const Execution& with) const override;

  void activate(Activation phi, MatrixView<const T> z, MatrixView<T> h,
                const Execution& with) const override;
  void multiply_by_slope(Activation phi, MatrixView<const T> h, MatrixView<T> g,
                         const Execution& with) const override;
  void multiply(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out,
                const Execution& with) const override;
  void accumulate_path_step(MatrixView<const T> next, MatrixView<const T> now,
                            MatrixView<const T> gradient, MatrixView<T> out,
                            const Execution& with) const override;
  void interpolate(MatrixView<const T> from, MatrixView<const T> to, T t, MatrixView<T> out,
                   const Execution& with) const override;
  void column_sums(MatrixView<const T> a, T beta, std::span<T> out,
                   const Execution& with) const override;
  void column_moments(MatrixView<const T> a, const ColumnMoments<T>& out,
                      const Execution& with) const override;

  void cross_entropy(MatrixView<const T> logits, std::span<const std::uint32_t> labels,
                     std::span<T> losses, const Execution& with) const override;
  void cross_entropy_gradient(MatrixView<const T> logits, std::span<const std::uint32_t> labels,
                              T scale, std::span<T> losses, MatrixView<T> gradient,
                              const Execution& with) const override;
  void soft_cross_entropy(MatrixView<const T> logits, MatrixView<const T> targets,
                          std::span<T> losses, std::span<T> magnitudes,
                          const Execution& with) const override;
  void squared_error_gradient(MatrixView<const T> predictions, MatrixView<const T> targets, T scale,
                              std::span<T> losses, MatrixView<T> gradient,
                              const Execution& with) const override;

  void sgd_step(const SgdStep<T>& step, std::span<const T> gradient, std::span<T> velocity,
                std::span<T> weights, const Execution& with) const override;
  void adam_step(const AdamStep<T>& step, std::span<const T> gradient, std::span<T> first,
                 std::span<T> second, std::span<T> weights, const Execution& with) const override;

  void rank_one_rows(MatrixView<const T> z, MatrixView<const T> columns, const SparseRows<T>& rows,
                     bool relu, MatrixView<T> out, const Execution& with) const override;
  void transpose(MatrixView<const T> a, MatrixView<T> out, const Execution& with) const override;

  void scale_jacobian_rows(Activation phi, MatrixView<const T> h, std::size_t inputs,
                           MatrixView<T> jacobian, const Execution& with) const override;
  void first_jacobian(Activation phi, MatrixView<const T> h, MatrixView<const T> weights,
                      MatrixView<T> jacobian, const Execution& with) const override;
  void accumulate_jacobian(MatrixView<const T> jacobian, T scale, bool absolute, MatrixView<T> out,
                           const Execution& with) const override;

  void first_active_jacobian(MatrixView<const T> h, MatrixView<const T> weights,
                             MatrixView<const T> factors, MatrixView<T> jacobian,
                             const Execution& with) const override;
  void next_active_jacobian(const ActiveLayer<T>& layer, MatrixView<const T> below,
                            MatrixView<T> jacobian, const Execution& with) const override;
  void accumulate_active_jacobian(const ActiveSum<T>& sum, MatrixView<const T> jacobian,
                                  MatrixView<T> out, const Execution& with) const override;
  void rank_one_products(const RestartedLayers<T>& layers, const SparseRows<T>& rows,
                         MatrixView<T> out, const Execution& with) const override;
};

}  // namespace interpscale::kernels
