// SPDX-License-Identifier: Apache-2.0
#include "interpscale/core/parallel.hpp"

#include <omp.h>

#include <algorithm>
#include <vector>

#include "support/catch.hpp"

namespace interpscale {
namespace {

TEST_CASE("parallel_for: every iteration runs once, for any number of threads",
          "[core][parallel]") {
  for (const int threads : {0, 1, 2, 3, 8}) {
    for (const std::size_t count :
         {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{1001}}) {
      std::vector<int> visits(count, 0);
      parallel_for(threads, count, [&visits](std::size_t i) { ++visits[i]; });
      CHECK(std::all_of(visits.begin(), visits.end(), [](int times) { return times == 1; }));
    }
  }
}

TEST_CASE("parallel_for: asks for the number of threads that it was given", "[core][parallel]") {
  std::vector<int> team_sizes(4, 0);
  parallel_for(2, team_sizes.size(),
               [&team_sizes](std::size_t i) { team_sizes[i] = omp_get_num_threads(); });
  CHECK(*std::max_element(team_sizes.begin(), team_sizes.end()) <= 2);
  parallel_for(1, team_sizes.size(),
               [&team_sizes](std::size_t i) { team_sizes[i] = omp_get_num_threads(); });
  CHECK(team_sizes == std::vector<int>(4, 1));
}

}  // namespace
}  // namespace interpscale
