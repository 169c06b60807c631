// What a reader of the benchmarks must know of the machine and of the build.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

namespace interpscale::bench {

/// The counter: FLOPs a second as a share of the peak measured at start-up.
inline constexpr const char* kPeakShare = "peak_share";

struct RunContext {
  double peak_flops_per_second = 0;
  /// Key and value: simd target, peak, revision, build, what the timing loop costs.
  std::vector<std::pair<std::string, std::string>> lines;
};

/// Measures the machine's limits and the timing loop: a few tenths of a second. Before
/// benchmark::Initialize, so that flags meant for the benchmarks do not reach the timing loop's
/// own.
[[nodiscard]] RunContext measure_context(const std::string& simd_target);

/// Google Benchmark's console, without its line "***WARNING*** Library was built as DEBUG": the
/// library prints it where *it* was compiled without NDEBUG, as Debian's is, which says nothing of
/// the code that is timed. The context's own lines say what is so. Shares lose the "/s" that the
/// library adds to whatever it has divided by time.
class Console : public benchmark::ConsoleReporter {
 public:
  explicit Console(OutputOptions options) : ConsoleReporter(options) {}
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
};

}  // namespace interpscale::bench
