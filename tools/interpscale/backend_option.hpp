// What `--backend` says of itself: the backends that this build has.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/ranges.h>

#include <string>

#include "interpscale/kernels/make_backend.hpp"

namespace interpscale::tool {

[[nodiscard]] inline std::string backend_help() {
  return fmt::format("One of {}", fmt::join(kernels::backend_names<float>(), ", "));
}

}  // namespace interpscale::tool
