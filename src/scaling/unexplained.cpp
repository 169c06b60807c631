// SPDX-License-Identifier: Apache-2.0
#include "scaling/unexplained.hpp"

#include <algorithm>
#include <cmath>

namespace interpscale::scaling {

std::vector<double> unexplained(const LinearFit& fit, const LinearSolution& solution,
                                std::span<const Observation> observations) {
  std::vector<double> residuals(solution.residuals.begin(), solution.residuals.end());
  const bool all_expected =
      std::ranges::all_of(observations, [](const Observation& cell) { return cell.expected > 0; });
  if (!all_expected) {
    return residuals;
  }
  std::vector<double> log_expected;
  log_expected.reserve(observations.size());
  for (const Observation& cell : observations) {
    log_expected.push_back(std::log(cell.expected));
  }
  const LinearSolution known = fit.solve(log_expected);
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    residuals[i] -= known.residuals(static_cast<Eigen::Index>(i));
  }
  return residuals;
}

}  // namespace interpscale::scaling
