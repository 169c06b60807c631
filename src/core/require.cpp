// SPDX-License-Identifier: Apache-2.0
#include "interpscale/core/require.hpp"

#include <fmt/format.h>

namespace interpscale {

void contract_violated(std::string_view message, const CallSite& where) {
  throw ContractViolation(
      fmt::format("{}:{} ({}): {}", where.file, where.line, where.function, message));
}

}  // namespace interpscale
