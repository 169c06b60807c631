// OpenBLAS by its C interface, and the training step that one would write with it in an afternoon:
// products by the library, everything else in plain loops that the compiler vectorises.
// SPDX-License-Identifier: Apache-2.0
#include <cblas.h>

#include "bench/peers/afternoon.hpp"
#include "bench/peers/peer.hpp"

namespace interpscale::bench::peers {
namespace {

void multiply(const Operands& p) {
  const kernels::GemmShape shape = p.shape();
  const auto extent = [](std::size_t value) { return static_cast<blasint>(value); };
  cblas_sgemm(CblasRowMajor, p.which == kernels::GemmCase::kTN ? CblasTrans : CblasNoTrans,
              p.which == kernels::GemmCase::kNT ? CblasTrans : CblasNoTrans, extent(shape.m),
              extent(shape.n), extent(shape.k), 1.0F, p.a.data(), extent(p.a.leading_dimension()),
              p.b.data(), extent(p.b.leading_dimension()), 0.0F, p.c.data(),
              extent(p.c.leading_dimension()));
}

}  // namespace

Peer make_peer(int threads) {
  constexpr int kOpenMp = 2;
  openblas_set_num_threads(threads);
  return {.name = "openblas",
          .version = openblas_get_config(),
          .setup = "cblas_sgemm, row-major",
          .prepare_product = [](const Operands& operands) -> Work {
            return [operands] { multiply(operands); };
          },
          .optimizers = {nn::OptimizerKind::kSgd},
          .make_trainer = [](const TrainingProblem& problem) -> std::unique_ptr<Trainer> {
            return std::make_unique<AfternoonTrainer>(problem, multiply);
          },
          .uses_openmp = openblas_get_parallel() == kOpenMp};
}

}  // namespace interpscale::bench::peers
