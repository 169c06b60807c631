// SPDX-License-Identifier: Apache-2.0
#include "interpscale/core/require.hpp"

#include <fmt/format.h>

namespace interpscale {

void contract_violated(std::string_view message, const std::source_location& where) {
  throw ContractViolation(
      fmt::format("{}:{} ({}): {}", where.file_name(), where.line(), where.function_name(), message));
}

}  // namespace interpscale
