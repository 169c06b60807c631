// Preconditions of the libraries: always on, and never a way to report bad input.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <source_location>
#include <stdexcept>
#include <string_view>

namespace interpscale {

/// A programmer's mistake, found at an API boundary. Bad input is reported by `Result` instead.
class ContractViolation : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void contract_violated(std::string_view message, const std::source_location& where);

/// Throws `ContractViolation`, with the caller's place in the message, unless `condition` holds.
inline void require(bool condition, std::string_view message,
                    const std::source_location& where = std::source_location::current()) {
  if (!condition) [[unlikely]] {
    contract_violated(message, where);
  }
}

}  // namespace interpscale
