// SPDX-License-Identifier: Apache-2.0
#include "interpscale/experiments/outcome.hpp"

#include <algorithm>

namespace interpscale::experiments {

std::optional<double> Outcome::figure(std::string_view name) const {
  const auto found = std::ranges::find(figures, name, &NamedValue::name);
  return found == figures.end() ? std::nullopt : std::optional<double>(found->value);
}

std::vector<double> Outcome::values(std::string_view name) const {
  const auto found = std::ranges::find(series, name, &NamedSeries::name);
  return found == series.end() ? std::vector<double>{} : found->values;
}

}  // namespace interpscale::experiments
