// SPDX-License-Identifier: Apache-2.0
#include "study/subjects/plant.hpp"

#include <charconv>

#include "interpscale/core/require.hpp"
#include "interpscale/study/planted.hpp"

namespace interpscale::study {
namespace {

/// Set by src/study's build alone, from the CMake option; an empty string unless that was given.
constexpr std::string_view kPlanted = INTERPSCALE_PLANT;

template <class T>
bool read_number(std::string_view text, T& value) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && at == end;
}

}  // namespace

Result<Plant> read_plant(std::string_view text, std::string_view method) {
  constexpr std::string_view kNaive = "naive@";
  constexpr double kMostPercent = 100;
  Plant plant;
  if (text.empty()) {
    return plant;
  }
  const std::size_t colon = text.find(':');
  const std::string_view what = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const bool is_read = what.starts_with(kNaive)
                           ? read_number(what.substr(kNaive.size()), plant.naive_from)
                           : read_number(what, plant.share);
  plant.share /= kMostPercent;
  if (!is_read || plant.share < 0 || plant.share > 1) {
    return fail("planted slow-down: found '{}', wanted METHOD:PERCENT or METHOD:naive@WIDTH", text);
  }
  return text.substr(0, colon) == method ? plant : Plant{};
}

Plant plant_of(std::string_view method) {
  const Result<Plant> plant = read_plant(kPlanted, method);
  require(plant.has_value(), "INTERPSCALE_PLANT is METHOD:PERCENT or METHOD:naive@WIDTH");
  return *plant;
}

std::string_view planted() {
  return kPlanted;
}

}  // namespace interpscale::study
