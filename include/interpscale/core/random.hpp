// Counter-based random numbers (Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011). A value is a pure function of (seed, stream, index): the same on any machine,
// compiler and number of threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace interpscale {

/// An endless sequence of numbers, addressed by index. Streams of one seed are independent.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  /// 64 random bits.
  [[nodiscard]] std::uint64_t bits(std::uint64_t index) const;
  /// Uniform on the open interval (0, 1), 53 bits.
  [[nodiscard]] double uniform(std::uint64_t index) const;
  /// Standard normal by the inverse distribution function (Wichura, AS 241), in IEEE operations
  /// alone (no libm), hence the same bits everywhere.
  [[nodiscard]] double normal(std::uint64_t index) const;
  /// Uniform on {0, ..., bound - 1}, bound > 0; bias below 2^-32 for bounds below 2^32.
  [[nodiscard]] std::uint64_t below(std::uint64_t index, std::uint64_t bound) const;
  /// A random permutation of 0 ... count - 1 (Fisher-Yates), using indices [0, count).
  [[nodiscard]] std::vector<std::size_t> permutation(std::size_t count) const;

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
};

}  // namespace interpscale
