// Two pinned threads hand a cache line to and fro.
// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "interpscale/core/aligned_vector.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/measure/limits.hpp"
#include "measure/median.hpp"

namespace interpscale::measure {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kRoundTripsPerSample = 64;
constexpr std::size_t kSamples = 101;
/// Where the threads do not get both cores at once the samples are cut short.
constexpr std::chrono::milliseconds kLongest{50};

bool pin_this_thread(int core) {
  if (core < 0 || core >= CPU_SETSIZE) {
    return false;
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(core), &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

/// What the two threads share: one line that carries the ball, another that holds their state.
struct Court {
  /// Odd: the ball is with the answering thread. Even: it is back.
  alignas(kCacheLineBytes) std::atomic<std::uint32_t> ball{0};
  alignas(kCacheLineBytes) std::atomic<int> pinned{0};
  std::atomic<bool> cannot_pin{false};
  std::atomic<bool> over{false};
};

/// Pins, and waits until the other has pinned as well; false if one of them could not.
bool take_place(Court& court, int core) {
  if (!pin_this_thread(core)) {
    court.cannot_pin = true;
  }
  court.pinned.fetch_add(1);
  while (court.pinned.load() < 2) {
    std::this_thread::yield();
  }
  return !court.cannot_pin;
}

void answer(Court& court, int core) {
  if (!take_place(court, core)) {
    return;
  }
  while (!court.over.load(std::memory_order_relaxed)) {
    const std::uint32_t ball = court.ball.load(std::memory_order_acquire);
    if (ball % 2 == 1) {
      court.ball.store(ball + 1, std::memory_order_release);
    }
  }
}

std::vector<double> serve(Court& court, int core) {
  std::vector<double> nanoseconds;
  if (!take_place(court, core)) {
    return nanoseconds;
  }
  std::uint32_t ball = 0;
  const Clock::time_point first = Clock::now();
  while (nanoseconds.size() < kSamples && Clock::now() - first < kLongest) {
    const Clock::time_point start = Clock::now();
    for (std::uint32_t i = 0; i < kRoundTripsPerSample; ++i) {
      court.ball.store(ball + 1, std::memory_order_release);
      ball += 2;
      while (court.ball.load(std::memory_order_acquire) != ball) {
      }
    }
    nanoseconds.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count() /
                          kRoundTripsPerSample);
  }
  court.over = true;
  return nanoseconds;
}

}  // namespace

Placement placement_of(double round_trip) {
  if (!(round_trip > 0.0)) {
    return Placement::kUnknown;
  }
  return round_trip <= kLongestNearRoundTrip ? Placement::kNear : Placement::kFar;
}

Placement placement_of(std::span<const double> round_trips) {
  if (round_trips.empty()) {
    return Placement::kUnknown;
  }
  const Placement first = placement_of(round_trips.front());
  const bool same = std::all_of(round_trips.begin(), round_trips.end(),
                                [first](double trip) { return placement_of(trip) == first; });
  return same ? first : Placement::kMixed;
}

std::string_view name_of(Placement placement) {
  switch (placement) {
    case Placement::kUnknown:
      return "unknown";
    case Placement::kNear:
      return "near";
    case Placement::kFar:
      return "far";
    case Placement::kMixed:
      return "mixed";
  }
  contract_violated("unknown placement", CallSite::here());
}

double round_trip_nanoseconds(int a, int b) {
  if (a == b) {
    return 0.0;
  }
  Court court;
  std::vector<double> nanoseconds;
  {
    const std::jthread answering([&] { answer(court, b); });
    // A thread of its own, so that the caller's binding stays as it is.
    const std::jthread serving([&] { nanoseconds = serve(court, a); });
  }
  return nanoseconds.empty() ? 0.0 : median_of(nanoseconds);
}

}  // namespace interpscale::measure
