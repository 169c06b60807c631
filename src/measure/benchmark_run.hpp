// One subject handed to Google Benchmark, and what it reports: for the drivers of this layer alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdint>
#include <exception>
#include <ostream>
#include <string>
#include <vector>

#include "interpscale/core/require.hpp"
#include "interpscale/measure/timed.hpp"

namespace interpscale::measure {

/// What Google Benchmark reported of one subject.
struct Repetitions {
  std::vector<double> seconds;  ///< of one run, one entry a repetition
  std::uint64_t iterations = 0;
};

/// Keeps the runs, prints nothing: a stream without a buffer swallows what the library writes.
class Collector : public benchmark::BenchmarkReporter {
 public:
  Collector() : nowhere_(nullptr) {
    SetOutputStream(&nowhere_);
    SetErrorStream(&nowhere_);
  }
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type == Run::RT_Iteration && run.iterations > 0) {
        repetitions_.iterations = static_cast<std::uint64_t>(run.iterations);
        repetitions_.seconds.push_back(run.real_accumulated_time /
                                       static_cast<double>(run.iterations));
      }
    }
  }

  [[nodiscard]] const Repetitions& repetitions() const { return repetitions_; }

 private:
  std::ostream nowhere_;
  Repetitions repetitions_;
};

/// Nothing, or why `action` threw.
template <class Action>
std::string reason_of_failure(const Action& action) {
  try {
    action();
  } catch (const std::exception& problem) {
    return fmt::format("exception: {}", problem.what());
  } catch (...) {
    return "an exception of unknown type";
  }
  return "";
}

/// Registers `timed` alone, configured by `configure`, and runs it. Throws what the subject throws.
template <class Configure>
Repetitions run_benchmark(const Subject& subject, Timed& timed, const Configure& configure) {
  std::exception_ptr thrown;
  benchmark::ClearRegisteredBenchmarks();
  auto* registered =
      benchmark::RegisterBenchmark(subject.name.c_str(), [&](benchmark::State& state) {
        try {
          for (auto iteration : state) {
            benchmark::DoNotOptimize(iteration);
            timed.run();
            benchmark::ClobberMemory();
          }
        } catch (...) {
          thrown = std::current_exception();
          state.SkipWithError("the subject threw");
        }
      });
  configure(registered->UseRealTime()->ReportAggregatesOnly(false));
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector, ".");
  benchmark::ClearRegisteredBenchmarks();
  if (thrown) {
    std::rethrow_exception(thrown);
  }
  require(!collector.repetitions().seconds.empty(), "Google Benchmark reported no run");
  return collector.repetitions();
}

}  // namespace interpscale::measure
