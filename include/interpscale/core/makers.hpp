// Things that are made by name: a table of {name, function}, its names, and the look-up.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "interpscale/core/result.hpp"

namespace interpscale {

template <class Value, std::size_t Count>
using Makers = std::array<std::pair<std::string_view, Value (*)()>, Count>;

/// In the table's order.
template <class Value, std::size_t Count>
[[nodiscard]] std::vector<std::string> names_of(const Makers<Value, Count>& makers) {
  std::vector<std::string> names;
  for (const auto& [name, make] : makers) {
    names.emplace_back(name);
  }
  return names;
}

/// What `name` makes. Error: "WHAT 'NAME' is unknown; known are ...".
template <class Value, std::size_t Count>
[[nodiscard]] Result<Value> make_by_name(const Makers<Value, Count>& makers, std::string_view what,
                                         std::string_view name) {
  for (const auto& [known, make] : makers) {
    if (name == known) {
      return make();
    }
  }
  return fail("{} '{}' is unknown; known are {}", what, name, fmt::join(names_of(makers), ", "));
}

}  // namespace interpscale
