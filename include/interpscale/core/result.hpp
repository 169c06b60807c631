// Expected failures (files, configuration, input) as values: `Result<T>` is a T or an `Error`.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace interpscale {

/// One message for a person: the file, the line or byte, what was found, what was wanted, and what
/// to do next where that helps.
struct Error {
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;

/// `return fail("{}: byte {}: found {}, wanted {}", ...)` from a function that returns a `Result`.
template <class... Arguments>
[[nodiscard]] tl::unexpected<Error> fail(fmt::format_string<Arguments...> format,
                                         Arguments&&... arguments) {
  return tl::unexpected<Error>(Error{fmt::format(format, std::forward<Arguments>(arguments)...)});
}

}  // namespace interpscale
