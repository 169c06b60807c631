// SPDX-License-Identifier: Apache-2.0
#include "bench/context.hpp"

#include <fmt/format.h>

#include <memory>
#include <sstream>

#include "interpscale/measure/driver.hpp"
#include "interpscale/measure/environment.hpp"
#include "interpscale/measure/limits.hpp"
#include "interpscale/study/planted.hpp"

namespace interpscale::bench {
namespace {

class Nothing : public measure::Timed {
 public:
  void run() override {}
  Result<measure::Verification> verify() override { return measure::Verification{}; }
};

/// Seconds of one iteration of Google Benchmark's loop and the call of an empty subject.
double loop_seconds() {
  const measure::Subject nothing{"nothing", {}, []() -> Result<std::unique_ptr<measure::Timed>> {
                                   return std::make_unique<Nothing>();
                                 }};
  double seconds = 0.0;
  measure::time_subjects({&nothing, 1}, {.min_seconds = 0.005, .warm_up_seconds = 0.001},
                         [&](const measure::Timing& timing) {
                           seconds = timing.seconds;
                           return true;
                         });
  return seconds;
}

}  // namespace

RunContext measure_context(const std::string& simd_target) {
  constexpr double kSeconds = 0.2;
  const measure::Environment environment = measure::read_environment();
  const measure::Limits limits = measure::measure_limits(environment, kSeconds);
  RunContext context;
  context.peak_flops_per_second = limits.flops_per_second;
  context.lines = {
      {"interpscale", fmt::format("{}, revision {}{}", environment.version, environment.revision,
                                  environment.dirty ? " with changes" : "")},
      {"interpscale_build",
       fmt::format("{}: {} {}", environment.build_type, environment.compiler, environment.flags)},
      {"cpu", environment.cpu},
      {"planted", std::string(study::planted())},
      {"simd_target", simd_target.empty() ? limits.simd_target : simd_target},
      {"fma_peak", fmt::format("{:.4g} FLOP/s on one core, single precision, {}",
                               limits.flops_per_second, limits.simd_target)},
      {"timing_library",
       fmt::format("{}; these would be in its own code, not in the subjects, which are built as "
                   "interpscale_build says; its loop with the call of an empty subject takes "
                   "{:.2g} ns an iteration",
                   environment.benchmark_library, 1e9 * loop_seconds())},
  };
  for (const measure::Bandwidth& bandwidth : limits.bandwidths) {
    context.lines.emplace_back("read_bandwidth_" + bandwidth.level,
                               fmt::format("{:.4g} bytes/s", bandwidth.bytes_per_second));
  }
  return context;
}

bool Console::ReportContext(const Context& context) {
  std::ostream& out = GetErrorStream();
  std::stringstream text;
  SetErrorStream(&text);
  const bool proceed = ConsoleReporter::ReportContext(context);
  SetErrorStream(&out);
  for (std::string line; std::getline(text, line);) {
    if (line.find("Library was built as DEBUG") == std::string::npos) {
      out << line << '\n';
    }
  }
  return proceed;
}

void Console::ReportRuns(const std::vector<Run>& runs) {
  std::vector<Run> relabelled = runs;
  for (Run& run : relabelled) {
    if (const auto share = run.counters.find(kPeakShare); share != run.counters.end()) {
      share->second.flags = benchmark::Counter::kDefaults;
    }
  }
  ConsoleReporter::ReportRuns(relabelled);
}

}  // namespace interpscale::bench
