// SPDX-License-Identifier: Apache-2.0
#include "bench/callgrind/collect.hpp"

namespace interpscale::bench {

Result<void> collect(const std::string&, const std::function<void()>&) {
  return fail(
      "built without valgrind's headers: install valgrind and configure again to count "
      "instructions");
}

}  // namespace interpscale::bench
