// The matrix products of an MLP: three transposition cases, with what follows them fused in.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "interpscale/core/matrix.hpp"

namespace interpscale::kernels {

/// Which operand is read transposed. All matrices are row-major.
enum class GemmCase {
  kNT,  ///< C[m,n] = A[m,k] B[n,k]^T: forward, X W^T
  kNN,  ///< C[m,n] = A[m,k] B[k,n]: activation gradients, dZ W
  kTN,  ///< C[m,n] = A[k,m]^T B[k,n]: weight gradients, dZ^T X
};

/// "nt", "nn" or "tn".
[[nodiscard]] std::string_view name_of(GemmCase which);

/// What happens to an element of the product p before it is stored, in this order:
///
///     v = alpha p + beta C(i,j);  v += bias[j];  v = max(v, 0) if relu;  v = 0 unless mask(i,j) >
///     0
///
/// beta = 0 does not read C. `bias` is empty or [n]; `mask` is empty or [m, n].
template <class T>
struct Epilogue {
  T alpha = T{1};
  T beta = T{0};
  std::span<const T> bias = {};
  bool relu = false;
  MatrixView<const T> mask = {};
};

struct GemmShape {
  std::size_t m = 0;
  std::size_t n = 0;
  std::size_t k = 0;
};

/// The product's extents; a contract violation where the operands do not fit each other.
template <class T>
[[nodiscard]] GemmShape gemm_shape(GemmCase which, MatrixView<const T> a, MatrixView<const T> b,
                                   MatrixView<const T> c, const Epilogue<T>& epilogue) {
  const bool a_transposed = which == GemmCase::kTN;
  const bool b_transposed = which == GemmCase::kNT;
  const GemmShape shape{a_transposed ? a.cols() : a.rows(), b_transposed ? b.rows() : b.cols(),
                        a_transposed ? a.rows() : a.cols()};
  require((b_transposed ? b.cols() : b.rows()) == shape.k, "gemm: inner extents of A and B differ");
  require(c.rows() == shape.m && c.cols() == shape.n, "gemm: C does not have the product's shape");
  require(epilogue.bias.empty() || epilogue.bias.size() == shape.n, "gemm: bias is not [n]");
  require(
      epilogue.mask.empty() || (epilogue.mask.rows() == shape.m && epilogue.mask.cols() == shape.n),
      "gemm: mask is not [m, n]");
  return shape;
}

}  // namespace interpscale::kernels
