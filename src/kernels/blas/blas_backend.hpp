// Products by OpenBLAS, everything else as the eigen backend does it: whether an exponent is the
// algorithm's or the kernels' shows when other kernels are put in their place. Compiled where
// OpenBLAS is installed (cmake/blas.cmake).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/eigen/eigen_backend.hpp"

namespace interpscale::kernels {

template <class T>
class BlasBackend : public EigenBackend<T> {
 public:
  /// Sets OpenBLAS to one thread, for the whole process: threads are ours, and share chunks of
  /// rows of C.
  BlasBackend();

  [[nodiscard]] std::string_view name() const override { return "blas"; }

 protected:
  void multiply_rows(GemmCase which, MatrixView<const T> a_rows, MatrixView<const T> b_all, T alpha,
                     T beta, MatrixView<T> c_rows) const override;
};

}  // namespace interpscale::kernels
