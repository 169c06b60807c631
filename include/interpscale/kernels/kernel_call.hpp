// What a call of a backend is, for as far as it decides how long the call takes: the operation, its
// extents, and how far back each operand was last touched. A time model is made of these.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/core/result.hpp"

namespace interpscale::kernels {

struct KernelCall {
  std::string operation;  ///< "gemm", "activate", ...
  std::string variant;    ///< "nt+bias+relu", "softplus"; "" where there is but one
  /// In the order in which the operation's comment has them, the one that tiles vary (rows) first.
  /// Of a matrix that rows are picked from, the number of rows is rounded up to a power of two: all
  /// that matters is which cache it fits in.
  std::vector<std::size_t> extents;
  /// For each operand, the class of the bytes touched since it was touched itself (`reuse_class`).
  std::vector<int> reuse;

  friend auto operator<=>(const KernelCall&, const KernelCall&) = default;
};

/// "gemm/nt+bias/512x64x64/0.2.0", with "-" for an empty variant.
[[nodiscard]] std::string name_of(const KernelCall& call);
/// The inverse; an error says what was found and what is wanted.
[[nodiscard]] Result<KernelCall> parse_kernel_call(std::string_view name);

/// Calls that differ in their first extent only share a family: their times are a function of it.
struct CallFamily {
  std::string operation;
  std::string variant;
  std::vector<std::size_t> other_extents;
  std::vector<int> reuse;

  friend auto operator<=>(const CallFamily&, const CallFamily&) = default;
};
[[nodiscard]] CallFamily family_of(const KernelCall& call);

/// Class c > 0: between kNearBytes 4^(c - 1) and kNearBytes 4^c; 0: less, at most half of a
/// second-level cache of 1 MiB; the last class has no upper end.
inline constexpr std::size_t kNearBytes = std::size_t{512} << 10U;
inline constexpr int kFarthestReuse = 4;
[[nodiscard]] int reuse_class(std::size_t bytes);
/// What a benchmark has to touch before it comes back to an operand of this class: the geometric
/// middle; 0 for class 0.
[[nodiscard]] std::size_t reuse_bytes(int reuse);

/// Memory that a call reads or writes.
struct Operand {
  const void* data;
  std::size_t bytes;
};

/// The calls of a run, with their multiplicities. Reuse is that of the last touch of any of an
/// operand's memory, from an earlier run if need be: of a run that is repeated, record the second.
class CallRecorder {
 public:
  void record(std::string_view operation, std::string variant, std::vector<std::size_t> extents,
              std::span<const Operand> operands);
  /// Forgets the calls, remembers the touches.
  void clear() { calls_.clear(); }
  [[nodiscard]] const std::map<KernelCall, std::uint64_t>& calls() const { return calls_; }

 private:
  /// Bytes touched since `operand` was; moves it to the front.
  std::size_t touch(const Operand& operand);

  std::map<KernelCall, std::uint64_t> calls_;
  std::vector<Operand> touched_;  // the most recent last
};

}  // namespace interpscale::kernels
