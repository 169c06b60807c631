// Instruction sets by name.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "interpscale/core/result.hpp"
#include "kernels/simd/kernel_table.hpp"

namespace interpscale::kernels::simd {

/// The target of that name; the best of this machine for "". An unknown name lists the known ones.
[[nodiscard]] Result<TargetBit> find_target(std::string_view name);

}  // namespace interpscale::kernels::simd
