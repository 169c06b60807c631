// What is said on standard error: one line an error, and a progress line where a person watches.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "interpscale/core/result.hpp"

namespace interpscale::tool {

inline constexpr int kDone = 0;
inline constexpr int kFailure = 1;   ///< something that was asked for failed
inline constexpr int kBadInput = 2;  ///< usage, or input that cannot be used

/// "interpscale: <message>" on one line of standard error.
void print_error(std::string_view message);
/// Prints the error; returns `exit_code`, to be returned in turn.
[[nodiscard]] int fail_with(const Error& error, int exit_code);

/// "1:05:09", "4:03" or "0:07".
[[nodiscard]] std::string clock_text(double seconds);

/// One line that is written over and over, only if standard error is a terminal; gone at the end.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// `seconds_left` below 0: not known.
  void show(double fraction, std::string_view text, double seconds_left);
  void clear();

 private:
  bool is_terminal_;
  bool shown_ = false;
};

}  // namespace interpscale::tool
