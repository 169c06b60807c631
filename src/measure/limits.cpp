// The best of several short probes: a limit is what the machine reaches when nothing disturbs it.
// Google Benchmark averages, so the probes keep their own time.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/limits.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <span>

#include "interpscale/core/aligned_vector.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/kernels/probes.hpp"

namespace interpscale::measure {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kProbes = 8;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Work units a second of `probe(repeats)`: best of kProbes probes that share `seconds`.
template <class Probe>
double best_rate(double seconds, const Probe& probe) {
  // Doubled until one probe fills its share; these runs warm up caches and clock as well.
  std::uint64_t repeats = 1;
  double elapsed = 0.0;
  for (;; repeats *= 2) {
    const Clock::time_point start = Clock::now();
    probe(repeats);
    elapsed = seconds_since(start);
    if (elapsed >= seconds / (2 * kProbes)) {
      break;
    }
  }
  double best = static_cast<double>(repeats) / elapsed;
  for (int i = 1; i < kProbes; ++i) {
    const Clock::time_point start = Clock::now();
    probe(repeats);
    best = std::max(best, static_cast<double>(repeats) / seconds_since(start));
  }
  return best;
}

/// Half of each cache, so that nothing else need leave it; and an array that no cache holds.
std::vector<Bandwidth> arrays_to_read(const Environment& environment) {
  constexpr std::uint64_t kSmallestMemoryArray = std::uint64_t{256} << 20U;
  std::vector<Bandwidth> arrays;
  std::uint64_t largest_cache = 0;
  for (const Cache& cache : environment.caches) {
    arrays.push_back({fmt::format("L{}", cache.level), cache.bytes / 2, 0.0});
    largest_cache = std::max(largest_cache, cache.bytes);
  }
  std::uint64_t in_memory = std::max(4 * largest_cache, kSmallestMemoryArray);
  if (environment.memory_bytes > 0) {
    in_memory = std::min(in_memory, environment.memory_bytes / 4);
  }
  arrays.push_back({"memory", in_memory, 0.0});
  return arrays;
}

}  // namespace

double fma_flops_per_second(double seconds) {
  require(seconds > 0.0, "a peak cannot be measured in no time");
  return static_cast<double>(kernels::fma_probe_flops_per_repeat()) *
         best_rate(seconds, [](std::uint64_t repeats) {
           benchmark::DoNotOptimize(kernels::fma_probe(repeats));
         });
}

Limits measure_limits(const Environment& environment, double seconds) {
  require(seconds > 0.0, "limits cannot be measured in no time");
  Limits limits;
  const std::vector<std::string> targets = kernels::simd_targets();
  limits.simd_target = targets.empty() ? "unknown" : targets.front();
  limits.bandwidths = arrays_to_read(environment);
  const double share = seconds / static_cast<double>(limits.bandwidths.size() + 1);
  limits.flops_per_second = fma_flops_per_second(share);
  std::uint64_t largest = 0;
  for (const Bandwidth& bandwidth : limits.bandwidths) {
    largest = std::max(largest, bandwidth.bytes);
  }
  const AlignedVector<float> array(largest / sizeof(float), 1.0F);
  for (Bandwidth& bandwidth : limits.bandwidths) {
    const std::span<const float> part(array.data(), bandwidth.bytes / sizeof(float));
    bandwidth.bytes_per_second =
        static_cast<double>(part.size_bytes()) * best_rate(share, [part](std::uint64_t repeats) {
          benchmark::DoNotOptimize(kernels::read_probe(part, repeats));
        });
  }
  return limits;
}

}  // namespace interpscale::measure
