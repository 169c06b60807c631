// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/slice_timer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "measure/benchmark_run.hpp"

namespace interpscale::measure {
namespace {

/// `action`'s value, or what it threw as an error.
template <class T, class Action>
Result<T> guarded(const std::string& subject, const Action& action) {
  Result<T> value = fail("{}: not run", subject);
  const std::string thrown = reason_of_failure([&] { value = action(); });
  return thrown.empty() ? std::move(value) : fail("{}: {}", subject, thrown);
}

}  // namespace

SliceTimer::SliceTimer(Subject subject, std::unique_ptr<Timed> timed)
    : subject_(std::move(subject)), timed_(std::move(timed)) {}

Result<SliceTimer> SliceTimer::prepare(Subject subject, bool verify) {
  const std::string name = subject.name;
  return guarded<SliceTimer>(name, [&]() -> Result<SliceTimer> {
    Result<std::unique_ptr<Timed>> timed = subject.prepare();
    if (!timed) {
      return fail("{}: preparation: {}", name, timed.error().message);
    }
    if (verify) {
      if (const Result<Verification> verified = (*timed)->verify(); !verified) {
        return fail("{}: verification: {}", name, verified.error().message);
      }
    }
    return SliceTimer(std::move(subject), std::move(*timed));
  });
}

Result<std::uint64_t> SliceTimer::calibrate(double seconds) {
  require(seconds > 0, "a slice takes time");
  return guarded<std::uint64_t>(subject_.name, [&]() -> Result<std::uint64_t> {
    const auto run = [&](std::int64_t iterations) {
      return run_benchmark(subject_, *timed_,
                           [iterations](auto* registered) {
                             registered->Iterations(iterations)->Repetitions(1);
                           })
          .seconds.front();
    };
    run(1);  // allocations and page faults
    constexpr double kMost = 1e7;
    const double once = std::max(run(1), 1e-9);
    const double warm = std::clamp(std::ceil(seconds / 5 / once), 1.0, kMost);
    const double mean = std::max(run(static_cast<std::int64_t>(warm)), 1e-9);
    const auto wanted = static_cast<std::uint64_t>(std::clamp(seconds / mean, 1.0, kMost));
    if (2 * wanted < kSliceMultiple) {
      return wanted;
    }
    return (wanted + kSliceMultiple - 1) / kSliceMultiple * kSliceMultiple;
  });
}

Result<double> SliceTimer::time(std::uint64_t iterations) {
  require(iterations > 0, "a slice has at least one iteration");
  return guarded<double>(subject_.name, [&]() -> Result<double> {
    const double seconds =
        run_benchmark(subject_, *timed_, [iterations](auto* registered) {
          registered->Iterations(static_cast<std::int64_t>(iterations))->Repetitions(1);
        }).seconds.front();
    if (!std::isnormal(seconds) || seconds < 0) {
      return fail("{}: a slice's time is not a positive number", subject_.name);
    }
    return seconds;
  });
}

}  // namespace interpscale::measure
