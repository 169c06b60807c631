// Whether this build is slow on purpose.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace interpscale::study {

/// The slow-down that this build plants in a method on purpose (the CMake option INTERPSCALE_PLANT,
/// for trials of the regression detector); empty in every other build.
[[nodiscard]] std::string_view planted();

}  // namespace interpscale::study
