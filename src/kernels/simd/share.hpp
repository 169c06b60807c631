// How the simd backend's operations divide their work between threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>

#include "interpscale/core/parallel.hpp"
#include "interpscale/kernels/backend.hpp"

namespace interpscale::kernels::simd {

// A fork and join costs about a microsecond, in which one core streams some 30,000 bytes: below
// four times that, an operation stays on one thread.
inline constexpr std::size_t kSmallestSharedBytes = std::size_t{128} << 10U;
// Threads meet at multiples of a cache line, whatever T is.
inline constexpr std::size_t kStep = kCacheLineBytes / sizeof(float);

/// body(first, count) over [0, extent) in one piece, or in one piece a thread where `bytes` of
/// memory traffic are worth it. Pieces are multiples of `step`.
template <class Body>
void share(const Execution& with, std::size_t extent, std::size_t step, std::size_t bytes,
           const Body& body) {
  if (extent == 0) {
    return;
  }
  const auto team = static_cast<std::size_t>(std::max(with.threads, 1));
  if (team == 1 || bytes < kSmallestSharedBytes) {
    body(std::size_t{0}, extent);
    return;
  }
  const std::size_t each = round_up((extent + team - 1) / team, step);
  parallel_for(with.threads, team, [&](std::size_t member) {
    const std::size_t first = std::min(extent, member * each);
    const std::size_t count = std::min(each, extent - first);
    if (count > 0) {
      body(first, count);
    }
  });
}

template <class T>
std::size_t bytes_of(MatrixView<const T> a) {
  return a.rows() * a.cols() * sizeof(T);
}

}  // namespace interpscale::kernels::simd
