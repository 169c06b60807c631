// oneDNN's matmul primitive, made once for the operands as they stand: plain row-major memory with
// its strides, a transposed operand by swapped strides. Blocked formats would be faster for weights
// that never change; here they change at every step.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <omp.h>

#include <dnnl.hpp>
#include <unordered_map>

#include "bench/peers/peer.hpp"

namespace interpscale::bench::peers {
namespace {

dnnl::memory::desc describe(std::size_t rows, std::size_t cols, std::size_t leading,
                            bool transposed) {
  using Dim = dnnl::memory::dim;
  const auto dim = [](std::size_t value) { return static_cast<Dim>(value); };
  return {{dim(rows), dim(cols)},
          dnnl::memory::data_type::f32,
          transposed ? dnnl::memory::dims{1, dim(leading)} : dnnl::memory::dims{dim(leading), 1}};
}

/// A primitive and its arguments, bound to the operands.
struct Bound {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::matmul primitive;
  std::unordered_map<int, dnnl::memory> arguments;
};

Work prepare(const Operands& p) {
  const kernels::GemmShape shape = p.shape();
  const dnnl::memory::desc a =
      describe(shape.m, shape.k, p.a.leading_dimension(), p.which == kernels::GemmCase::kTN);
  const dnnl::memory::desc b =
      describe(shape.k, shape.n, p.b.leading_dimension(), p.which == kernels::GemmCase::kNT);
  const dnnl::memory::desc c = describe(shape.m, shape.n, p.c.leading_dimension(), false);
  const auto bound = std::make_shared<Bound>();
  bound->primitive = dnnl::matmul({{a, b, c}, bound->engine});
  // The library takes its inputs as pointers to mutable memory and leaves them alone.
  bound->arguments = {
      {DNNL_ARG_SRC, {a, bound->engine, const_cast<float*>(p.a.data())}},
      {DNNL_ARG_WEIGHTS, {b, bound->engine, const_cast<float*>(p.b.data())}},
      {DNNL_ARG_DST, {c, bound->engine, p.c.data()}},
  };
  return [bound] {
    bound->primitive.execute(bound->stream, bound->arguments);
    bound->stream.wait();
  };
}

}  // namespace

Peer make_peer(int threads) {
  omp_set_num_threads(threads);
  const dnnl_version_t* version = dnnl_version();
  return {.name = "onednn",
          .version = fmt::format("{}.{}.{}", version->major, version->minor, version->patch),
          .setup = "matmul primitive made once for the operands' plain strided formats",
          .prepare_product = prepare};
}

}  // namespace interpscale::bench::peers
