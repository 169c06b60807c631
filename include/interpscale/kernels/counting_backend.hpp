// A backend that does another's work and adds up what each call counts for: declared costs are
// held against this, and time models are made of the calls.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"
#include "interpscale/kernels/kernel_call.hpp"

namespace interpscale::kernels {

template <class T>
class CountingBackend : public Backend<T> {
 public:
  [[nodiscard]] virtual Flops flops() const = 0;
  virtual void reset() = 0;
};

/// Told the FLOPs so far after every call: how far a run of known cost has come.
using CountObserver = std::function<void(Flops)>;

/// Wraps `inner`, which must outlive it; so must `recorder`, which is told of every call. One
/// thread at a time.
template <class T>
[[nodiscard]] std::unique_ptr<CountingBackend<T>> make_counting_backend(
    const Backend<T>& inner, CallRecorder* recorder = nullptr, CountObserver observer = {});

}  // namespace interpscale::kernels
