// libxsmm's kernels, generated at run time for one shape. They are column-major: C^T = op(B)^T
// op(A)^T. No kernel reads its first operand (our B) transposed, so X W^T transposes W into a
// buffer at every call, by the library's own function.
// SPDX-License-Identifier: Apache-2.0
#include <libxsmm.h>

#include "bench/peers/peer.hpp"

namespace interpscale::bench::peers {
namespace {

/// Above this a whole product is no longer what one kernel is meant for.
constexpr std::size_t kLargestExtent = 512;

libxsmm_blasint extent(std::size_t value) {
  return static_cast<libxsmm_blasint>(value);
}

Work prepare(const Operands& p) {
  const kernels::GemmShape shape = p.shape();
  const bool transposes_b = p.which == kernels::GemmCase::kNT;
  const auto transposed =
      std::make_shared<Matrix<float>>(transposes_b ? shape.k : 0, transposes_b ? shape.n : 0);
  const libxsmm_blasint lda = extent(p.a.leading_dimension());
  const libxsmm_blasint ldb =
      extent(transposes_b ? transposed->leading_dimension() : p.b.leading_dimension());
  const libxsmm_blasint ldc = extent(p.c.leading_dimension());
  const float one = 1.0F;
  const float zero = 0.0F;
  const int flags =
      p.which == kernels::GemmCase::kTN ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  const libxsmm_smmfunction kernel =
      libxsmm_smmdispatch(extent(shape.n), extent(shape.m), extent(shape.k), &ldb, &lda, &ldc, &one,
                          &zero, &flags, nullptr);
  if (kernel == nullptr) {
    return nullptr;
  }
  return [p, kernel, transposed, transposes_b, ldb] {
    const float* b = p.b.data();
    if (transposes_b) {
      libxsmm_otrans(transposed->padded().data(), b, sizeof(float), extent(p.b.cols()),
                     extent(p.b.rows()), extent(p.b.leading_dimension()), ldb);
      b = transposed->padded().data();
    }
    kernel(b, p.a.data(), p.c.data());
  };
}

}  // namespace

Peer make_peer(int threads) {
  require(threads == 1, "libxsmm's kernels run on one thread");
  libxsmm_init();
  return {.name = "libxsmm",
          .version = LIBXSMM_VERSION,
          .setup =
              "one dispatched kernel a product, no extent above 512; W transposed each time "
              "where it is read transposed",
          .prepare_product = prepare,
          .largest_extent = kLargestExtent};
}

}  // namespace interpscale::bench::peers
