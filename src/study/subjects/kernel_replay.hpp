// A recorded kernel call as a subject: the same operation on operands of its own, of the same
// shapes, as far from the last touch as they were. What a time model adds up.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "interpscale/kernels/kernel_call.hpp"
#include "interpscale/study/subjects.hpp"

namespace interpscale::study {

/// Operations that can be replayed: all that a backend has.
[[nodiscard]] std::vector<std::string_view> replayable_operations();

/// The subject "replay/<name of the call>/t:../backend:..". An operand of reuse class c > 0 is one
/// of a ring of copies that together hold reuse_bytes(c), so that it has left the nearer caches
/// when its turn comes again. `verify` checks that a run leaves finite numbers: the kernels are
/// held against their references elsewhere. An error for an operation or extents that are not
/// known.
[[nodiscard]] Result<measure::Subject> replay_subject(const kernels::KernelCall& call,
                                                      const Setting& setting);

}  // namespace interpscale::study
