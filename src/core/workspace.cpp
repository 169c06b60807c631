// SPDX-License-Identifier: Apache-2.0
#include "interpscale/core/workspace.hpp"

#include <algorithm>

namespace interpscale {
namespace {

constexpr std::size_t kSmallestChunk = std::size_t{1} << 20;
/// Chunks double up to here: beyond, doubling would hold far more than is in use.
constexpr std::size_t kLargestGrowth = std::size_t{16} << 20;

}  // namespace

std::size_t Workspace::capacity_bytes() const {
  std::size_t bytes = 0;
  for (const auto& chunk : chunks_) {
    bytes += chunk.size();
  }
  return bytes;
}

std::byte* Workspace::take(std::size_t bytes) {
  const std::size_t size = round_up(bytes, kCacheLineBytes);
  while (chunk_ < chunks_.size() && size > chunks_[chunk_].size() - used_) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ == chunks_.size()) {
    const std::size_t grown =
        chunks_.empty() ? kSmallestChunk : std::min(2 * chunks_.back().size(), kLargestGrowth);
    chunks_.emplace_back(std::max(size, grown));
  }
  std::byte* block = chunks_[chunk_].data() + used_;
  used_ += size;
  in_use_ += size;
  peak_ = std::max(peak_, in_use_);
  return block;
}

}  // namespace interpscale
