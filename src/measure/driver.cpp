// Each subject is handed to Google Benchmark twice: once to warm up and to learn how long a run
// takes, then with a fixed number of iterations for all repetitions. Its own search for that number
// would warm up, start again from one iteration and make each repetition 1.4 times too long: half
// of a study's time.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/driver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "interpscale/core/require.hpp"
#include "interpscale/measure/environment.hpp"
#include "interpscale/measure/limits.hpp"
#include "measure/benchmark_run.hpp"
#include "measure/median.hpp"

namespace interpscale::measure {
namespace {

/// How a subject is timed once it is known how long a run takes.
struct Schedule {
  std::int64_t iterations = 1;  ///< of a repetition
  int repetitions = 1;
};

/// Warms up; returns the iterations that make a repetition last `min_seconds`, and how many of
/// them.
Schedule calibrate(const Subject& subject, Timed& timed, const DriverOptions& options) {
  // A tenth of a repetition is what an estimate of its length needs.
  const double seconds = std::max(options.warm_up_seconds, options.min_seconds / 10.0);
  const auto warm_up = [&] {
    return run_benchmark(subject, timed, [seconds](auto* registered) {
      registered->MinTime(seconds)->Repetitions(1);
    });
  };
  Repetitions run = warm_up();
  // A single iteration was the very first one, with its allocations and page faults: too slow to
  // count iterations by, unless it was so slow that one will do anyway.
  constexpr double kColdOverWarm = 4.0;
  if (run.iterations == 1 && run.seconds.front() < kColdOverWarm * options.min_seconds) {
    run = warm_up();
  }
  if (run.seconds.front() >= kLongRunSeconds) {
    return {};
  }
  constexpr double kMostIterations = 1e9;
  const double wanted = options.min_seconds / std::max(run.seconds.front(), 1e-12);
  return {static_cast<std::int64_t>(std::ceil(std::clamp(wanted, 1.0, kMostIterations))),
          options.repetitions};
}

/// The timing proper, into `timing`. Throws what the subject throws.
void time_prepared(const Subject& subject, Timed& timed, const DriverOptions& options,
                   Timing& timing) {
  const Schedule schedule = calibrate(subject, timed, options);
  const auto take_round_trip = [&] {
    if (options.processors.size() == 2) {
      timing.round_trips.push_back(
          round_trip_nanoseconds(options.processors[0], options.processors[1]));
    }
  };
  take_round_trip();
  const MachineState before = read_machine_state();
  Repetitions run = run_benchmark(subject, timed, [&](auto* registered) {
    registered->Iterations(schedule.iterations)->Repetitions(schedule.repetitions);
  });
  timing.steal_share = steal_share(before, read_machine_state());
  take_round_trip();
  timing.repetitions = std::move(run.seconds);
  timing.iterations = run.iterations;
  const bool all_normal =
      std::all_of(timing.repetitions.begin(), timing.repetitions.end(),
                  [](double seconds) { return std::isnormal(seconds) && seconds > 0.0; });
  if (!all_normal) {
    timing.reason = "a repetition's time is not a positive number";
    timing.repetitions.clear();
    return;
  }
  timing.seconds = median_of(timing.repetitions);
  timing.ok = true;
}

Timing time_subject(const Subject& subject, const DriverOptions& options) {
  Timing timing;
  timing.subject = subject.name;
  const std::string thrown = reason_of_failure([&] {
    Result<std::unique_ptr<Timed>> timed = subject.prepare();
    if (!timed) {
      timing.reason = "preparation: " + timed.error().message;
      return;
    }
    if (options.verify) {
      if (const Result<Verification> verified = (*timed)->verify(); !verified) {
        timing.reason = "verification: " + verified.error().message;
        return;
      }
    }
    time_prepared(subject, **timed, options, timing);
  });
  if (!thrown.empty()) {
    timing.reason = thrown;
  }
  return timing;
}

}  // namespace

void time_subjects(std::span<const Subject> subjects, const DriverOptions& options,
                   const std::function<bool(const Timing&)>& done) {
  require(options.min_seconds > 0.0 && options.warm_up_seconds >= 0.0 && options.repetitions > 0,
          "a timing needs a positive time and at least one repetition");
  require(options.processors.empty() || options.processors.size() == 2,
          "a round trip is between two processors");
  for (const Subject& subject : subjects) {
    if (!done(time_subject(subject, options))) {
      return;
    }
  }
}

}  // namespace interpscale::measure
