// Every method of the project: the files of src/methods, in the order of their names.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "interpscale/methods/spec.hpp"

namespace interpscale::methods {

/// Defined by the generated manifest: one `MethodSpec <name>()` a file.
[[nodiscard]] std::vector<MethodSpec> all_methods();

}  // namespace interpscale::methods
