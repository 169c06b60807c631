// Kernels that show the machine's limits: how many FMAs, how many bytes a second.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace interpscale::kernels {

/// Runs `repeats` rounds of independent FMA chains in registers with the widest vectors of this
/// machine (or of `simd_target`); returns a value that depends on all of them.
/// FLOPs: repeats * fma_probe_flops_per_repeat().
[[nodiscard]] float fma_probe(std::uint64_t repeats, std::string_view simd_target = "");
[[nodiscard]] std::uint64_t fma_probe_flops_per_repeat(std::string_view simd_target = "");

/// Reads all of `data` with vector loads, several accumulators, `repeats` times over; each is
/// 4 * data.size() bytes. (The choice of the instruction set takes some 15 us, more than a small
/// array does: hence the repeats.)
[[nodiscard]] float read_probe(std::span<const float> data, std::uint64_t repeats = 1);

}  // namespace interpscale::kernels
