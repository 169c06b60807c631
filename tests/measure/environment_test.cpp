// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/environment.hpp"

#include <string>

#include "interpscale/measure/limits.hpp"
#include "support/catch.hpp"

using namespace interpscale::measure;

namespace {

MachineState ticks(std::uint64_t stolen, std::uint64_t total) {
  MachineState state;
  state.steal_ticks = stolen;
  state.total_ticks = total;
  return state;
}

}  // namespace

TEST_CASE("environment: what is unknown says so, nothing is empty", "[measure][environment]") {
  const Environment environment = read_environment();
  for (const std::string& text :
       {environment.cpu, environment.governor, environment.operating_system, environment.compiler,
        environment.flags, environment.build_type, environment.benchmark_library,
        environment.revision, environment.version}) {
    CHECK_FALSE(text.empty());
  }
  CHECK(environment.cores >= 1);
  CHECK(environment.benchmark_library.find("assertions") != std::string::npos);
}

TEST_CASE("environment: caches are data or unified, smallest level first",
          "[measure][environment]") {
  int level = 0;
  for (const Cache& cache : read_environment().caches) {
    CHECK(cache.level > level);
    CHECK(cache.bytes > 0);
    level = cache.level;
  }
}

TEST_CASE("environment: a machine's state has a date and counts up", "[measure][environment]") {
  const MachineState before = read_machine_state();
  const MachineState after = read_machine_state();
  CHECK(before.time.size() == std::string("2026-01-01T00:00:00Z").size());
  CHECK(before.time.back() == 'Z');
  CHECK(before.total_ticks > 0);
  CHECK(after.total_ticks >= before.total_ticks);
}

TEST_CASE("environment: share of stolen time", "[measure][environment]") {
  const MachineState before = ticks(10, 1000);
  CHECK(steal_share(before, ticks(35, 1100)) == 0.25);
  CHECK(steal_share(before, before) == 0.0);
  CHECK(steal_share(before, ticks(9, 1100)) == 0.0);
}

TEST_CASE("limits: every level has a bandwidth, and the core a peak", "[measure][limits]") {
  Environment environment;
  environment.caches = {{1, 32U << 10U}, {2, 256U << 10U}};
  environment.memory_bytes = 4U << 20U;
  const Limits limits = measure_limits(environment, 0.02);
  CHECK(limits.flops_per_second > 0.0);
  CHECK_FALSE(limits.simd_target.empty());
  REQUIRE(limits.bandwidths.size() == 3);
  CHECK(limits.bandwidths[0].level == "L1");
  CHECK(limits.bandwidths[0].bytes == 16U << 10U);
  CHECK(limits.bandwidths[2].level == "memory");
  // An array larger than every cache, but never more than a quarter of the memory.
  CHECK(limits.bandwidths[2].bytes == 1U << 20U);
  for (const Bandwidth& bandwidth : limits.bandwidths) {
    CHECK(bandwidth.bytes_per_second > 0.0);
  }
}

TEST_CASE("limits: no round trip on one core or on a core that does not exist",
          "[measure][limits]") {
  CHECK(round_trip_nanoseconds(0, 0) == 0.0);
  CHECK(round_trip_nanoseconds(0, 100'000) == 0.0);
  CHECK(round_trip_nanoseconds(-1, 0) == 0.0);
}

TEST_CASE("limits: two cores have a round trip", "[measure][limits]") {
  const bool has_two = read_environment().cores >= 2;
  CHECK((round_trip_nanoseconds(0, 1) > 0.0) == has_two);
}
