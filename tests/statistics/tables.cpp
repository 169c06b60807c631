// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "statistics/parts.hpp"

namespace interpscale::selftest {

bool within(double share, double low, double high, int studies) {
  constexpr double kStandardErrors = 3;
  constexpr int kEnough = 1000;
  if (studies >= kEnough) {
    return low <= share && share <= high;
  }
  const auto slack = [studies](double bound) {
    return kStandardErrors * std::sqrt(bound * (1 - bound) / studies);
  };
  return share >= low - slack(low) && share <= high + slack(high);
}

}  // namespace interpscale::selftest
