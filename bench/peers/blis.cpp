// BLIS by its own typed interface, which takes strides and so needs no transposition flags; the
// BLAS names it exports too are not used.
// SPDX-License-Identifier: Apache-2.0
#include "bench/peers/peer.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <blis.h>
#pragma GCC diagnostic pop

namespace interpscale::bench::peers {
namespace {

struct Strides {
  inc_t row;
  inc_t column;
};

/// Of op(X): swapped where X is read transposed.
Strides strides_of(MatrixView<const float> x, bool transposed) {
  const auto leading = static_cast<inc_t>(x.leading_dimension());
  return transposed ? Strides{1, leading} : Strides{leading, 1};
}

void multiply(const Operands& p) {
  const kernels::GemmShape shape = p.shape();
  const Strides a = strides_of(p.a, p.which == kernels::GemmCase::kTN);
  const Strides b = strides_of(p.b, p.which == kernels::GemmCase::kNT);
  float one = 1.0F;
  float zero = 0.0F;
  // BLIS takes its inputs as pointers to mutable elements and leaves them alone.
  bli_sgemm(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, static_cast<dim_t>(shape.m),
            static_cast<dim_t>(shape.n), static_cast<dim_t>(shape.k), &one,
            const_cast<float*>(p.a.data()), a.row, a.column, const_cast<float*>(p.b.data()), b.row,
            b.column, &zero, p.c.data(), static_cast<inc_t>(p.c.leading_dimension()), 1);
}

}  // namespace

Peer make_peer(int threads) {
  bli_init();
  bli_thread_set_num_threads(threads);
  return {.name = "blis",
          .version = bli_info_get_version_str(),
          .setup = "bli_sgemm, transposition by strides",
          .prepare_product = [](const Operands& operands) -> Work {
            return [operands] { multiply(operands); };
          }};
}

}  // namespace interpscale::bench::peers
