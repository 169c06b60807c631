// The methods for a reader: docs/methods.md is this function's result.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "interpscale/methods/spec.hpp"

namespace interpscale::methods {

/// A Markdown page: a table of all methods, then a section each with its formula, source, columns,
/// variants with their leading exponents, and identities.
[[nodiscard]] std::string catalogue_markdown(const std::vector<MethodSpec>& specs);

}  // namespace interpscale::methods
