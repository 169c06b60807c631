// Independent pieces of work, largest first, on a few threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "interpscale/core/result.hpp"

namespace interpscale::study {

/// work(i) for i in [0, count) on `threads` threads, each taking the next i when it is free, then
/// done(value) for each result, one at a time. The first error ends it and is returned; work under
/// way is finished, and its results are handed to `done` as well. What `work` throws is an error.
template <class Work, class Done>
[[nodiscard]] Result<void> for_each_in_parallel(std::size_t count, unsigned threads,
                                                const Work& work, const Done& done) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  Result<void> outcome;
  const auto caught = [&](std::size_t i) -> decltype(work(i)) {
    try {
      return work(i);
    } catch (const std::exception& problem) {
      return fail("exception: {}", problem.what());
    }
  };
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      auto result = caught(i);
      const std::lock_guard lock(mutex);
      Result<void> step = result ? done(std::move(*result))
                                 : Result<void>(tl::unexpected(std::move(result.error())));
      if (!step) {
        next = count;
        if (outcome) {
          outcome = std::move(step);
        }
      }
    }
  };
  {
    std::vector<std::jthread> others;
    for (unsigned t = 1; t < threads; ++t) {
      others.emplace_back(run);
    }
    run();
  }
  return outcome;
}

}  // namespace interpscale::study
