// Stand-alone benchmarks: the study's subjects under Google Benchmark's own flags and output.
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "bench/context.hpp"
#include "bench/grid.hpp"
#include "bench/registration.hpp"
#include "bench/serve.hpp"

namespace interpscale::bench {
namespace {

constexpr int kFailed = 1;
constexpr int kUsageError = 2;

/// Runs what has been registered; JSON and CSV are left to the library's own reporters, which its
/// tools read.
std::size_t run_registered(const Options& options) {
  const std::string format = options.flag("benchmark_format");
  if (!format.empty() && format != "console") {
    return benchmark::RunSpecifiedBenchmarks();
  }
  Console console(isatty(STDOUT_FILENO) == 1 ? Console::OO_ColorTabular : Console::OO_Tabular);
  return benchmark::RunSpecifiedBenchmarks(&console);
}

int run(int argc, char** argv) {
  auto parsed = parse_options(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) {
    return *status;
  }
  const Options& options = std::get<Options>(parsed);
  if (options.serve) {
    return serve(options);
  }
  const bool only_lists = options.has_flag("benchmark_list_tests");
  const RunContext context =
      only_lists ? RunContext{} : measure_context(options.setting.simd_target);

  std::vector<std::string> flags = options.benchmark_flags;
  flags.insert(flags.begin(), "interpscale_bench");
  std::vector<char*> pointers;
  for (std::string& flag : flags) {
    pointers.push_back(flag.data());
  }
  pointers.push_back(nullptr);
  int count = static_cast<int>(flags.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) {
    return kUsageError;
  }
  for (const auto& [key, value] : context.lines) {
    benchmark::AddCustomContext(key, value);
  }
  Stage stage(context.peak_flops_per_second);
  stage.register_all(make_grid(options));
  const std::size_t matched = run_registered(options);
  benchmark::Shutdown();
  if (matched == 0) {
    fmt::print(stderr,
               "interpscale_bench: no benchmark matches the filter; "
               "--benchmark_list_tests lists them\n");
    return kUsageError;
  }
  for (const auto& [name, reason] : stage.failures()) {
    fmt::print(stderr, "interpscale_bench: failed: {}: {}\n", name, reason);
  }
  return stage.failures().empty() ? 0 : kFailed;
}

}  // namespace
}  // namespace interpscale::bench

int main(int argc, char** argv) {
  try {
    return interpscale::bench::run(argc, argv);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "interpscale_bench: {}\n", problem.what());
    return interpscale::bench::kFailed;
  }
}
