// The one OpenMP loop: independent iterations, so that results do not depend on the thread count.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace interpscale {

/// body(i) for every i in [0, count), on `threads` threads (static schedule). An iteration writes
/// what no other iteration reads or writes, and does not throw.
template <class Body>
void parallel_for(int threads, std::size_t count, const Body& body) {
  if (threads <= 1 || count <= 1) {
    for (std::size_t i = 0; i < count; ++i) {
      body(i);
    }
    return;
  }
#pragma omp parallel for schedule(static) num_threads(threads)
  for (std::size_t i = 0; i < count; ++i) {
    body(i);
  }
}

}  // namespace interpscale
