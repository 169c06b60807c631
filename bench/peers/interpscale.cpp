// Ours, by the same interface as the peers.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "bench/peers/peer.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/nn/training_step.hpp"

namespace interpscale::bench::peers {
namespace {

/// A backend and its scratch memory, shared by all that is prepared with them.
struct Runtime {
  std::unique_ptr<kernels::Backend<float>> backend;
  Workspace workspace;
  int threads;

  [[nodiscard]] kernels::Context<float> context() { return {*backend, threads, workspace}; }
};

class OurTrainer : public Trainer {
 public:
  OurTrainer(const TrainingProblem& problem, std::shared_ptr<Runtime> runtime)
      : problem_(problem),
        runtime_(std::move(runtime)),
        step_(problem.network.topology, problem.inputs.rows(), nn::Loss::kCrossEntropy,
              {.kind = problem.optimizer, .momentum = 0.0}) {}

  void step() override {
    (void)step_.run(problem_.network, problem_.inputs, {.labels = problem_.labels, .values = {}},
                    static_cast<double>(problem_.rate), runtime_->context());
  }
  [[nodiscard]] nn::Mlp<float> network() const override { return problem_.network; }

 private:
  TrainingProblem problem_;
  std::shared_ptr<Runtime> runtime_;
  nn::TrainingStep<float> step_;
};

}  // namespace

Peer make_peer(int threads) {
  auto backend = kernels::make_backend<float>("simd");
  require(backend.has_value(), "backend simd is always there");
  const std::string target(backend.value()->target());
  const auto runtime = std::make_shared<Runtime>(Runtime{std::move(*backend), {}, threads});
  return {.name = "interpscale",
          .version = target,
          .setup = "backend simd",
          .prepare_product = [runtime](const Operands& operands) -> Work {
            return [runtime, operands] {
              runtime->backend->gemm(operands.which, operands.a, operands.b, operands.c, {},
                                     runtime->context());
            };
          },
          .optimizers = {nn::OptimizerKind::kSgd, nn::OptimizerKind::kAdam},
          .make_trainer = [runtime](const TrainingProblem& problem) -> std::unique_ptr<Trainer> {
            return std::make_unique<OurTrainer>(problem, runtime);
          }};
}

}  // namespace interpscale::bench::peers
