// A slow-down planted on purpose, for the regression detector's own trials: the CMake option
// INTERPSCALE_PLANT, off by default.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "interpscale/core/result.hpp"

namespace interpscale::study {

/// What is planted in one method, as text:
/// - "zero_ablation:5": 5 of its 100 runs are done twice, evenly spread (the 20th, the 40th, ...),
///   whatever the clock or an instruction counter makes of that;
/// - "zero_ablation:naive@256": its fast variant runs the naive one on networks whose widest hidden
///   layer has 256 units or more.
struct Plant {
  double share = 0;            ///< of the runs that are done twice
  std::size_t naive_from = 0;  ///< width; 0: never
  double owed = 0;             ///< of the next repeat

  /// After a run: whether it is to be done once more.
  [[nodiscard]] bool again() {
    if (share == 0) {
      return false;
    }
    constexpr double kRounding = 1e-9;
    owed += share;
    if (owed < 1 - kRounding) {
      return false;
    }
    owed -= 1 + share;  // the repeat asks again
    return true;
  }
};

/// `text` as above, empty for none; what of it concerns `method`. An error for any other text.
[[nodiscard]] Result<Plant> read_plant(std::string_view text, std::string_view method);

/// What this build plants in a method.
[[nodiscard]] Plant plant_of(std::string_view method);

}  // namespace interpscale::study
