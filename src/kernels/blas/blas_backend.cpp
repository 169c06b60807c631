// SPDX-License-Identifier: Apache-2.0
#include "kernels/blas/blas_backend.hpp"

#include <cblas.h>

#include <algorithm>
#include <limits>
#include <type_traits>

namespace interpscale::kernels {
namespace {

blasint extent(std::size_t value) {
  require(value <= static_cast<std::size_t>(std::numeric_limits<blasint>::max()),
          "blas: an extent beyond the library's integers");
  return static_cast<blasint>(value);
}

/// The library rejects a leading dimension of 0, which an empty matrix has.
template <class View>
blasint leading(const View& matrix) {
  return extent(std::max<std::size_t>(1, matrix.leading_dimension()));
}

}  // namespace

template <class T>
BlasBackend<T>::BlasBackend() {
  openblas_set_num_threads(1);
}

template <class T>
void BlasBackend<T>::multiply_rows(GemmCase which, MatrixView<const T> a_rows,
                                   MatrixView<const T> b_all, T alpha, T beta,
                                   MatrixView<T> c_rows) const {
  const bool a_transposed = which == GemmCase::kTN;
  const CBLAS_TRANSPOSE a_flag = a_transposed ? CblasTrans : CblasNoTrans;
  const CBLAS_TRANSPOSE b_flag = which == GemmCase::kNT ? CblasTrans : CblasNoTrans;
  const auto multiply = [](auto... arguments) {
    if constexpr (std::is_same_v<T, float>) {
      cblas_sgemm(arguments...);
    } else {
      cblas_dgemm(arguments...);
    }
  };
  multiply(CblasRowMajor, a_flag, b_flag, extent(c_rows.rows()), extent(c_rows.cols()),
           extent(a_transposed ? a_rows.rows() : a_rows.cols()), alpha, a_rows.data(),
           leading(a_rows), b_all.data(), leading(b_all), beta, c_rows.data(), leading(c_rows));
}

template class BlasBackend<float>;
template class BlasBackend<double>;

}  // namespace interpscale::kernels
