// What a prepared subject computes with: a backend, a number of threads, scratch memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "interpscale/core/workspace.hpp"
#include "interpscale/kernels/counting_backend.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/study/subjects.hpp"

namespace interpscale::study {

template <class T>
class Runtime {
 public:
  [[nodiscard]] static Result<Runtime> make(const Setting& setting) {
    Result<Runtime> runtime = make(setting.backend, setting.simd_target, setting.threads);
    if (runtime && setting.recorder != nullptr) {
      runtime->recorded_ = std::move(runtime->backend_);
      runtime->backend_ = kernels::make_counting_backend(*runtime->recorded_, setting.recorder);
    }
    return runtime;
  }
  /// One thread; obvious loops.
  [[nodiscard]] static Result<Runtime> reference() { return make("reference", "", 1); }

  [[nodiscard]] kernels::Context<T> context() const { return {*backend_, threads_, *workspace_}; }

 private:
  Runtime(std::unique_ptr<kernels::Backend<T>> backend, int threads)
      : backend_(std::move(backend)),
        workspace_(std::make_unique<Workspace>()),
        threads_(threads) {}

  [[nodiscard]] static Result<Runtime> make(const std::string& backend, const std::string& target,
                                            int threads) {
    if (threads < 1) {
      return fail("threads: found {}, wanted at least 1", threads);
    }
    return kernels::make_backend<T>(backend, target)
        .map([threads](std::unique_ptr<kernels::Backend<T>> made) {
          return Runtime(std::move(made), threads);
        });
  }

  std::unique_ptr<kernels::Backend<T>> recorded_;  // what backend_ counts for, if it counts
  std::unique_ptr<kernels::Backend<T>> backend_;
  std::unique_ptr<Workspace> workspace_;
  int threads_;
};

}  // namespace interpscale::study
