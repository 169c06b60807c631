// One peer's benchmarks: under Google Benchmark's own flags, or, with --serve, one at a time as
// tools/peers asks for them.
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "bench/context.hpp"
#include "bench/peers/serve.hpp"
#include "bench/peers/subjects.hpp"
#include "bench/registration.hpp"
#include "interpscale/measure/binding.hpp"
#include "interpscale/measure/limits.hpp"

namespace interpscale::bench::peers {
namespace {

constexpr int kFailed = 1;
constexpr int kUsageError = 2;

int run_benchmarks(const Peer& peer, const std::string& binding, int threads,
                   std::vector<std::string> flags) {
  flags.insert(flags.begin(), "interpscale_peers_" + peer.name);
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
  benchmark::AddCustomContext("peer", fmt::format("{} {}", peer.name, peer.version));
  benchmark::AddCustomContext("setup", peer.setup);
  benchmark::AddCustomContext("threads", fmt::format("{}, on processors {}", threads, binding));
  constexpr double kPeakSeconds = 0.05;
  Stage stage(measure::fma_flops_per_second(kPeakSeconds) * threads);
  stage.register_all(make_peer_grid(peer));
  const std::size_t matched = benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  for (const auto& [name, reason] : stage.failures()) {
    fmt::print(stderr, "{}: failed: {}: {}\n", flags.front(), name, reason);
  }
  if (matched == 0) {
    fmt::print(stderr, "{}: no benchmark matches the filter\n", flags.front());
    return kUsageError;
  }
  return stage.failures().empty() ? 0 : kFailed;
}

int run(int argc, char** argv) {
  int threads = 1;
  bool serves = false;
  CLI::App app("Times one library's matrix products (and training step) at shapes of an MLP.");
  app.footer("All flags of Google Benchmark are passed on.");
  app.allow_extras();
  app.add_option("--threads", threads, "Threads")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_flag("--serve", serves, "Answer tools/peers, line by line");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : kUsageError;
  }
  const Peer peer = make_peer(threads);
  const std::string binding =
      threads > 1 && peer.uses_openmp ? measure::bind_threads(threads) : "unbound";
  if (serves) {
    return serve({.name = peer.name,
                  .version = peer.version,
                  .setup = peer.setup,
                  .binding = binding,
                  .threads = threads},
                 make_peer_grid(peer));
  }
  return run_benchmarks(peer, binding, threads, app.remaining());
}

}  // namespace
}  // namespace interpscale::bench::peers

int main(int argc, char** argv) {
  try {
    return interpscale::bench::peers::run(argc, argv);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "{}: {}\n", argv[0], problem.what());
    return interpscale::bench::peers::kFailed;
  }
}
