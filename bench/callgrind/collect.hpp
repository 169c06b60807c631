// Counting the instructions of one region under callgrind, where valgrind's headers were installed
// when this was built (present.cpp) or were not (absent.cpp).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "interpscale/core/result.hpp"

namespace interpscale::bench {

/// Runs `region` with callgrind collecting and has it write a part of its output whose trigger is
/// `label`. Errors: not built for it, or not running under callgrind.
[[nodiscard]] Result<void> collect(const std::string& label, const std::function<void()>& region);

}  // namespace interpscale::bench
