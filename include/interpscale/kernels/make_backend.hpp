// Backends by name, chosen at run time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/kernels/backend.hpp"

namespace interpscale::kernels {

/// The backends of this build, for float ("simd" first, the default) or double.
template <class T>
[[nodiscard]] std::vector<std::string> backend_names();

/// `simd_target` forces an instruction set by Highway's name ("AVX3", "AVX2", "SSE4", ...); empty:
/// the best that this machine has. Only `simd` takes one. An unknown name lists the known ones.
template <class T>
[[nodiscard]] Result<std::unique_ptr<Backend<T>>> make_backend(std::string_view name,
                                                               std::string_view simd_target = "");

/// Instruction sets that are compiled in and supported here, best first.
[[nodiscard]] std::vector<std::string> simd_targets();

}  // namespace interpscale::kernels
