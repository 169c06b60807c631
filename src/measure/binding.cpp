// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/binding.hpp"

#include <fmt/ranges.h>
#include <omp.h>
#include <sched.h>

#include <atomic>
#include <cstddef>

#include "interpscale/core/require.hpp"

namespace interpscale::measure {
namespace {

/// Of the calling thread; true if that was possible.
bool restrict_to(const std::vector<int>& processors) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : processors) {
    CPU_SET(static_cast<std::size_t>(processor), &set);
  }
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

}  // namespace

std::vector<int> allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
      if (CPU_ISSET(static_cast<std::size_t>(processor), &set)) {
        processors.push_back(processor);
      }
    }
  }
  return processors;
}

std::string bind_threads(int threads) {
  require(threads > 0, "threads to bind: at least one");
  const std::vector<int> allowed = allowed_processors();
  if (allowed.size() < static_cast<std::size_t>(threads)) {
    return "unbound";
  }
  std::atomic<int> bound{0};
#pragma omp parallel num_threads(threads)
  {
    if (restrict_to({allowed[static_cast<std::size_t>(omp_get_thread_num())]})) {
      ++bound;
    }
  }
  if (bound != threads) {
#pragma omp parallel num_threads(threads)
    { static_cast<void>(restrict_to(allowed)); }
    return "unbound";
  }
  return fmt::format("{}", fmt::join(allowed.begin(), allowed.begin() + threads, ","));
}

}  // namespace interpscale::measure
