// SPDX-License-Identifier: Apache-2.0
#include "interpscale/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace interpscale::tool {

void print_error(std::string_view message) {
  std::string line(message);
  std::replace(line.begin(), line.end(), '\n', ' ');
  fmt::print(stderr, "interpscale: {}\n", line);
}

int fail_with(const Error& error, int exit_code) {
  print_error(error.message);
  return exit_code;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(std::lround(std::max(seconds, 0.0)));
  const long hours = whole / 3600;
  const long minutes = whole / 60 % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60)
                   : fmt::format("{}:{:02}", minutes, whole % 60);
}

ProgressLine::ProgressLine() : is_terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  clear();
}

void ProgressLine::show(double fraction, std::string_view text, double seconds_left) {
  if (!is_terminal_) {
    return;
  }
  fmt::print(stderr, "\r\033[K[{:3.0f} %] {}{}", 100 * fraction, text,
             seconds_left < 0 ? "" : fmt::format(", {} left", clock_text(seconds_left)));
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::clear() {
  if (shown_) {
    fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
    shown_ = false;
  }
}

}  // namespace interpscale::tool
