// Preconditions of the libraries: always on, and never a way to report bad input.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string_view>

namespace interpscale {

/// A programmer's mistake, found at an API boundary. Bad input is reported by `Result` instead.
class ContractViolation : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Where a call stands in the source. (std::source_location is missing from clang 14 on libstdc++.)
struct CallSite {
  const char* file;
  int line;
  const char* function;

  static constexpr CallSite here(const char* file_in = __builtin_FILE(),
                                 int line_in = __builtin_LINE(),
                                 const char* function_in = __builtin_FUNCTION()) {
    return {file_in, line_in, function_in};
  }
};

[[noreturn]] void contract_violated(std::string_view message, const CallSite& where);

/// Throws `ContractViolation`, with the caller's place in the message, unless `condition` holds.
inline void require(bool condition, std::string_view message,
                    const CallSite& where = CallSite::here()) {
  if (!condition) [[unlikely]] {
    contract_violated(message, where);
  }
}

}  // namespace interpscale
