// SPDX-License-Identifier: Apache-2.0
#include "interpscale/kernels/kernel_call.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "interpscale/core/require.hpp"

namespace interpscale::kernels {
namespace {

/// The parts of `text` between separators.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

/// Whole numbers between separators; nothing where one of them is none.
template <class T>
std::optional<std::vector<T>> parse_numbers(std::string_view text, char separator) {
  std::vector<T> numbers;
  for (const std::string_view part : split(text, separator)) {
    T number{};
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (error != std::errc{} || end != part.data() + part.size()) {
      return std::nullopt;
    }
    numbers.push_back(number);
  }
  return numbers;
}

std::uintptr_t begin_of(const Operand& operand) {
  return reinterpret_cast<std::uintptr_t>(operand.data);
}
std::uintptr_t end_of(const Operand& operand) {
  return begin_of(operand) + operand.bytes;
}
bool overlap(const Operand& a, const Operand& b) {
  return begin_of(a) < end_of(b) && begin_of(b) < end_of(a);
}
bool covers(const Operand& outer, const Operand& inner) {
  return begin_of(outer) <= begin_of(inner) && end_of(inner) <= end_of(outer);
}

}  // namespace

std::string name_of(const KernelCall& call) {
  return fmt::format("{}/{}/{}/{}", call.operation, call.variant.empty() ? "-" : call.variant,
                     fmt::join(call.extents, "x"), fmt::join(call.reuse, "."));
}

Result<KernelCall> parse_kernel_call(std::string_view name) {
  const std::vector<std::string_view> parts = split(name, '/');
  constexpr std::size_t kParts = 4;
  if (parts.size() == kParts && !parts[0].empty()) {
    std::optional<std::vector<std::size_t>> extents = parse_numbers<std::size_t>(parts[2], 'x');
    std::optional<std::vector<int>> reuse = parse_numbers<int>(parts[3], '.');
    if (extents && reuse && std::ranges::all_of(*reuse, [](int reuse_class) {
          return reuse_class >= 0 && reuse_class <= kFarthestReuse;
        })) {
      return KernelCall{std::string(parts[0]), parts[1] == "-" ? "" : std::string(parts[1]),
                        std::move(*extents), std::move(*reuse)};
    }
  }
  return fail(
      "kernel call: found '{}', wanted operation/variant/extents/reuse, such as "
      "gemm/nt+bias/512x64x64/0.2.0",
      name);
}

CallFamily family_of(const KernelCall& call) {
  require(!call.extents.empty(), "a kernel call without extents");
  return {call.operation, call.variant, {call.extents.begin() + 1, call.extents.end()}, call.reuse};
}

int reuse_class(std::size_t bytes) {
  int reuse = 0;
  for (std::size_t most = kNearBytes; bytes >= most && reuse < kFarthestReuse; most *= 4) {
    ++reuse;
  }
  return reuse;
}

std::size_t reuse_bytes(int reuse) {
  return reuse == 0 ? 0 : (kNearBytes / 2) << (2 * static_cast<unsigned>(reuse));
}

void CallRecorder::record(std::string_view operation, std::string variant,
                          std::vector<std::size_t> extents, std::span<const Operand> operands) {
  KernelCall call{std::string(operation), std::move(variant), std::move(extents), {}};
  for (const Operand& operand : operands) {
    call.reuse.push_back(reuse_class(touch(operand)));
  }
  ++calls_[std::move(call)];
}

std::size_t CallRecorder::touch(const Operand& operand) {
  std::size_t since = 0;
  for (auto last = touched_.rbegin(); last != touched_.rend(); ++last) {
    if (overlap(*last, operand)) {
      break;
    }
    since += last->bytes;
  }
  // What the operand covers has now been touched as part of it.
  std::erase_if(touched_, [&operand](const Operand& other) { return covers(operand, other); });
  touched_.push_back(operand);
  return since;
}

}  // namespace interpscale::kernels
