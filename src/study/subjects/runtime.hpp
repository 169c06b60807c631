// What a prepared subject computes with: a backend, a number of threads, scratch memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "interpscale/core/workspace.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/study/subjects.hpp"

namespace interpscale::study {

template <class T>
class Runtime {
 public:
  [[nodiscard]] static Result<Runtime> make(const Setting& setting) {
    return make(setting.backend, setting.simd_target, setting.threads);
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

  std::unique_ptr<kernels::Backend<T>> backend_;
  std::unique_ptr<Workspace> workspace_;
  int threads_;
};

}  // namespace interpscale::study
