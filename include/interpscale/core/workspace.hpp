// Scratch memory that is taken in stack order and kept: after a first pass through the same work,
// no allocation happens any more.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "interpscale/core/aligned_vector.hpp"
#include "interpscale/core/matrix.hpp"

namespace interpscale {

/// A stack of uninitialised scratch blocks. Not shared between threads.
///
///     Workspace::Scope scope(workspace);            // everything taken below is given back here
///     MatrixView<float> product = workspace.matrix<float>(rows, cols);
class Workspace {
 public:
  /// Gives back, on destruction, whatever was taken since its construction.
  class Scope {
   public:
    explicit Scope(Workspace& workspace)
        : workspace_(workspace),
          chunk_(workspace.chunk_),
          used_(workspace.used_),
          in_use_(workspace.in_use_) {}
    ~Scope() {
      workspace_.chunk_ = chunk_;
      workspace_.used_ = used_;
      workspace_.in_use_ = in_use_;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Workspace& workspace_;
    std::size_t chunk_;
    std::size_t used_;
    std::size_t in_use_;
  };

  /// Uninitialised [rows, cols], rows on cache lines.
  template <class T>
  [[nodiscard]] MatrixView<T> matrix(std::size_t rows, std::size_t cols) {
    const std::size_t leading = round_up(cols, kCacheLineBytes / sizeof(T));
    return {vector<T>(checked_product(rows, leading)).data(), rows, cols, leading};
  }
  /// Uninitialised [count], on a cache line.
  template <class T>
  [[nodiscard]] std::span<T> vector(std::size_t count) {
    static_assert(std::is_trivially_copyable_v<T>);
    return {reinterpret_cast<T*>(take(checked_product(count, sizeof(T)))), count};
  }

  /// The most bytes ever in use at once.
  [[nodiscard]] std::size_t peak_bytes() const { return peak_; }
  /// Bytes held, in use or not.
  [[nodiscard]] std::size_t capacity_bytes() const;

 private:
  [[nodiscard]] std::byte* take(std::size_t bytes);

  std::vector<AlignedVector<std::byte>> chunks_;
  std::size_t chunk_ = 0;   // index of the chunk in use
  std::size_t used_ = 0;    // bytes used of that chunk
  std::size_t in_use_ = 0;  // bytes taken over all chunks
  std::size_t peak_ = 0;
};

}  // namespace interpscale
