// Values of the report's JSON.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "interpscale/scaling/observation.hpp"

namespace interpscale::study {

using Json = nlohmann::ordered_json;

/// JSON has no infinities: they become null, as does what is absent.
inline Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

inline Json numbers(const std::vector<double>& values) {
  Json array = Json::array();
  for (const double value : values) {
    array.push_back(number(value));
  }
  return array;
}

inline Json interval_json(const scaling::Interval& interval) {
  return Json::array({number(interval.low), number(interval.high)});
}

}  // namespace interpscale::study
