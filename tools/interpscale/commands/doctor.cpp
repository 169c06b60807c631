// `interpscale doctor`: is this machine fit to measure?
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "interpscale/commands.hpp"
#include "interpscale/data/idx.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/kernels/probes.hpp"
#include "interpscale/measure/environment.hpp"
#include "interpscale/measure/limits.hpp"
#include "interpscale/terminal.hpp"
#include "interpscale/thread_gain.hpp"

namespace interpscale::tool {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

/// Above these a machine is called unfit.
constexpr double kLargestNoise = 0.05;
constexpr double kLargestSteal = 0.02;
constexpr double kLargestLoadPerCore = 0.25;

struct Examination {
  measure::Environment environment;
  measure::MachineState state;
  measure::Limits limits;
  std::vector<std::string> simd_targets;
  double steal_share = 0;
  double round_trip_nanoseconds = 0;
  ThreadGains threads;
  double noise = 0;  ///< half the 10-90 % range of equal loops' times, over their median
  std::vector<std::string> data_sets;
  std::vector<std::string> findings;  ///< what is off
};

double time_loop(std::uint64_t repeats) {
  const Clock::time_point start = Clock::now();
  const volatile float kept = kernels::fma_probe(repeats);
  static_cast<void>(kept);
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The spread of 50 loops of equal work, about 10 ms each.
double loop_noise() {
  constexpr double kLoopSeconds = 0.01;
  constexpr std::size_t kLoops = 50;
  std::uint64_t repeats = 1024;
  double seconds = time_loop(repeats);
  while (seconds < kLoopSeconds / 4) {
    repeats *= 2;
    seconds = time_loop(repeats);
  }
  repeats = static_cast<std::uint64_t>(static_cast<double>(repeats) * kLoopSeconds / seconds);
  std::vector<double> times;
  for (std::size_t i = 0; i < kLoops; ++i) {
    times.push_back(time_loop(repeats));
  }
  std::sort(times.begin(), times.end());
  return (times[kLoops * 9 / 10] - times[kLoops / 10]) / 2 / times[kLoops / 2];
}

std::vector<std::string> find_findings(const Examination& seen) {
  std::vector<std::string> findings;
  if (seen.noise > kLargestNoise) {
    findings.push_back(fmt::format("equal loops differ by +-{:.1f} % (bound {:.0f} %)",
                                   100 * seen.noise, 100 * kLargestNoise));
  }
  if (seen.steal_share > kLargestSteal) {
    findings.push_back(
        fmt::format("{:.1f} % of the time is stolen by other guests (bound {:.0f} %)",
                    100 * seen.steal_share, 100 * kLargestSteal));
  }
  const double bound = kLargestLoadPerCore * seen.environment.cores;
  if (seen.state.load_1min > bound) {
    findings.push_back(fmt::format("other programs are running: load {:.2f} (bound {:.2f})",
                                   seen.state.load_1min, bound));
  }
  if (seen.environment.governor != "performance" && seen.environment.governor != "unknown") {
    findings.push_back(fmt::format("the frequency governor is '{}', not 'performance'",
                                   seen.environment.governor));
  }
  if (seen.environment.build_type != "Release" && seen.environment.build_type != "RelWithDebInfo") {
    findings.push_back(fmt::format("this is a '{}' build", seen.environment.build_type));
  }
  if (seen.data_sets.empty()) {
    findings.emplace_back("Fashion-MNIST is not installed (Debian package dataset-fashion-mnist)");
  }
  return findings;
}

Examination examine() {
  constexpr double kLimitsSeconds = 0.5;
  Examination seen;
  seen.environment = measure::read_environment();
  seen.state = measure::read_machine_state();
  seen.limits = measure::measure_limits(seen.environment, kLimitsSeconds);
  seen.simd_targets = kernels::simd_targets();
  seen.round_trip_nanoseconds =
      seen.environment.cores > 1 ? measure::round_trip_nanoseconds(0, 1) : 0;
  if (Result<ThreadGains> threads = measure_thread_gains()) {
    seen.threads = std::move(*threads);
  }
  seen.noise = loop_noise();
  seen.steal_share = measure::steal_share(seen.state, measure::read_machine_state());
  if (const auto folder = data::find_dataset("fashion-mnist")) {
    seen.data_sets.push_back(folder->string());
  }
  seen.findings = find_findings(seen);
  return seen;
}

std::string_view placement_of(const Examination& seen) {
  return measure::name_of(measure::placement_of(seen.round_trip_nanoseconds));
}

Json to_json(const Examination& seen) {
  Json bandwidths = Json::array();
  for (const measure::Bandwidth& bandwidth : seen.limits.bandwidths) {
    bandwidths.push_back({{"level", bandwidth.level},
                          {"bytes", bandwidth.bytes},
                          {"bytes_per_second", bandwidth.bytes_per_second}});
  }
  Json gains = Json::array();
  for (const ThreadGain& gain : seen.threads.gains) {
    gains.push_back({{"width", gain.width},
                     {"one_thread_seconds", gain.one_thread_seconds},
                     {"seconds", gain.seconds},
                     {"threads", gain.threads},
                     {"worth", gain.worth}});
  }
  return {{"cpu", seen.environment.cpu},
          {"cores", seen.environment.cores},
          {"simd_target", seen.limits.simd_target},
          {"simd_targets", seen.simd_targets},
          {"governor", seen.environment.governor},
          {"load_1min", seen.state.load_1min},
          {"steal_share", seen.steal_share},
          {"flops_per_second", seen.limits.flops_per_second},
          {"bandwidths", bandwidths},
          {"round_trip_nanoseconds", seen.round_trip_nanoseconds},
          {"placement", placement_of(seen)},
          {"binding", seen.threads.binding},
          {"training_step_threads", gains},
          {"noise", seen.noise},
          {"compiler", seen.environment.compiler},
          {"build_type", seen.environment.build_type},
          {"benchmark_library", seen.environment.benchmark_library},
          {"revision", seen.environment.revision},
          {"dirty", seen.environment.dirty},
          {"data_sets", seen.data_sets},
          {"fit_to_measure", seen.findings.empty()},
          {"findings", seen.findings}};
}

void print_text(const Examination& seen) {
  const auto row = [](std::string_view name, const std::string& value) {
    fmt::print("{:<14} {}\n", name, value);
  };
  row("CPU", fmt::format("{}, {} cores", seen.environment.cpu, seen.environment.cores));
  row("SIMD",
      fmt::format("{} (of {})", seen.limits.simd_target, fmt::join(seen.simd_targets, ", ")));
  row("governor", seen.environment.governor);
  row("load", fmt::format("{:.2f}", seen.state.load_1min));
  row("stolen time", fmt::format("{:.1f} %", 100 * seen.steal_share));
  row("FMA peak", fmt::format("{:.1f} GFLOP/s a thread", seen.limits.flops_per_second / 1e9));
  for (const measure::Bandwidth& bandwidth : seen.limits.bandwidths) {
    row(bandwidth.level, fmt::format("{:.1f} GB/s", bandwidth.bytes_per_second / 1e9));
  }
  row("round trip", fmt::format("{:.0f} ns between cores 0 and 1: {}", seen.round_trip_nanoseconds,
                                placement_of(seen)));
  for (const ThreadGain& gain : seen.threads.gains) {
    row("threads",
        fmt::format("training step of width {}: {:.2f}x on {} threads, {} worth using", gain.width,
                    gain.one_thread_seconds / gain.seconds, gain.threads, gain.worth));
  }
  row("noise", fmt::format("+-{:.1f} % over equal loops of 10 ms", 100 * seen.noise));
  row("build",
      fmt::format("{}, {}, revision {}{}", seen.environment.compiler, seen.environment.build_type,
                  seen.environment.revision, seen.environment.dirty ? " (changed)" : ""));
  row("benchmark", seen.environment.benchmark_library);
  row("data sets",
      seen.data_sets.empty() ? "none" : fmt::format("{}", fmt::join(seen.data_sets, ", ")));
  if (seen.findings.empty()) {
    fmt::print("\nfit to measure\n");
    return;
  }
  fmt::print("\nnot quite fit to measure:\n");
  for (const std::string& finding : seen.findings) {
    fmt::print("- {}\n", finding);
  }
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("doctor", "Say whether this machine is fit to measure");
  command->add_flag("--json", *json, "As JSON");
  command->footer(
      "Findings do not change the exit status.\n"
      "Examples:\n"
      "  interpscale doctor\n"
      "  interpscale doctor --json");
  command->callback([json, &exit_code] {
    const Examination seen = examine();
    if (*json) {
      fmt::print("{}\n", to_json(seen).dump(2));
    } else {
      print_text(seen);
    }
    exit_code = kDone;
  });
}

}  // namespace interpscale::tool
