// What a subject's time is made of: the kernel calls of one run, recorded by a counting backend.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>

#include "interpscale/kernels/kernel_call.hpp"
#include "interpscale/study/subjects.hpp"

namespace interpscale::study {

/// The kernel calls of one run of what `request` asks for, as they are when runs follow each other.
[[nodiscard]] Result<std::map<kernels::KernelCall, std::uint64_t>> record_calls(
    const CellRequest& request, const Setting& setting, SpecimenSource specimen);

}  // namespace interpscale::study
