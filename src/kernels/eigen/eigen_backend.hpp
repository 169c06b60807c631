// The same operations by Eigen's expressions, where Eigen has something to say; the others are the
// reference's loops. A second opinion on the results, and a peer on speed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/reference/reference_backend.hpp"

namespace interpscale::kernels {

template <class T>
class EigenBackend : public ReferenceBackend<T> {
 public:
  [[nodiscard]] std::string_view name() const override { return "eigen"; }

  void gemm(GemmCase which, MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> c,
            const Epilogue<T>& epilogue, const Execution& with) const override;

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

  void sgd_step(const SgdStep<T>& step, std::span<const T> gradient, std::span<T> velocity,
                std::span<T> weights, const Execution& with) const override;
  void adam_step(const AdamStep<T>& step, std::span<const T> gradient, std::span<T> first,
                 std::span<T> second, std::span<T> weights, const Execution& with) const override;

  void rank_one_rows(MatrixView<const T> z, MatrixView<const T> columns, const SparseRows<T>& rows,
                     bool relu, MatrixView<T> out, const Execution& with) const override;
  void transpose(MatrixView<const T> a, MatrixView<T> out, const Execution& with) const override;

 protected:
  /// c := alpha op(a) op(b) + beta c on one thread, for some rows of op(a) and of c: the part of a
  /// product that another library can do instead. beta = 0 does not read c.
  virtual void multiply_rows(GemmCase which, MatrixView<const T> a_rows, MatrixView<const T> b_all,
                             T alpha, T beta, MatrixView<T> c_rows) const;
};

}  // namespace interpscale::kernels
