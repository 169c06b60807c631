// One thing to time at one problem size: what the study, the stand-alone binaries and the
// instruction counter all run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "interpscale/core/result.hpp"

namespace interpscale::measure {

/// How far a timed thing was from its double-precision reference before it was timed.
struct Verification {
  double deviation = 0;
  double allowed = 0;
  std::string
      compared;  ///< with what, on how much: "reference, 16 of 384 neurons, 8 of 128 samples"
};

/// Prepared work: everything that is not to be timed has been done.
class Timed {
 public:
  Timed() = default;
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;
  virtual ~Timed() = default;

  /// The timed region, once. Leaves the same work to be done the next time.
  virtual void run() = 0;
  /// Compares with the reference; an error where the deviation is not allowed.
  [[nodiscard]] virtual Result<Verification> verify() = 0;
};

/// What is known of a subject without preparing it.
struct Quantities {
  std::uint64_t parameters = 0;  ///< N
  std::uint64_t neurons = 0;     ///< n
  std::uint64_t batch = 0;       ///< B
  std::uint64_t inputs = 0;      ///< d
  std::uint64_t flops = 0;       ///< executed by one run, as the kernels count
  std::uint64_t bytes = 0;       ///< least traffic of one run
};

/// A named recipe for something to time. Names are `area/subject/variant/key:value/...`.
struct Subject {
  std::string name;
  Quantities quantities;
  std::function<Result<std::unique_ptr<Timed>>()> prepare;
};

}  // namespace interpscale::measure
