// SPDX-License-Identifier: Apache-2.0
#include <valgrind/callgrind.h>

#include "bench/callgrind/collect.hpp"

namespace interpscale::bench {

Result<void> collect(const std::string& label, const std::function<void()>& region) {
  if (RUNNING_ON_VALGRIND == 0) {
    return fail("not running under callgrind: instructions cannot be counted");
  }
  CALLGRIND_ZERO_STATS;
  CALLGRIND_TOGGLE_COLLECT;
  region();
  CALLGRIND_TOGGLE_COLLECT;
  CALLGRIND_DUMP_STATS_AT(label.c_str());
  return {};
}

}  // namespace interpscale::bench
