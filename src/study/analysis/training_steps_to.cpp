// Steps to a result, run by run. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "interpscale/core/require.hpp"
#include "interpscale/study/training_result.hpp"

namespace interpscale::study {

StepsToLoss steps_to(double loss, const std::vector<std::uint64_t>& run_steps,
                     const std::vector<double>& losses) {
  require(!losses.empty() && losses.size() == run_steps.size(), "a loss for each run length");
  const auto first =
      std::ranges::find_if(losses, [&](double candidate) { return candidate <= loss; });
  if (first == losses.end()) {
    return {Reached::kNever, static_cast<double>(run_steps.back())};
  }
  const auto at = static_cast<std::size_t>(first - losses.begin());
  if (at == 0) {
    return {Reached::kBefore, static_cast<double>(run_steps.front())};
  }
  const double share = std::log(losses[at - 1] / loss) / std::log(losses[at - 1] / losses[at]);
  const auto shorter = static_cast<double>(run_steps[at - 1]);
  const auto longer = static_cast<double>(run_steps[at]);
  return {Reached::kYes, shorter * std::pow(longer / shorter, share)};
}

StepsToLoss steps_to_own_best(double margin, const std::vector<std::uint64_t>& run_steps,
                              const std::vector<double>& losses) {
  require(losses.size() > 1, "an own best wants two run lengths");
  const double best = *std::ranges::min_element(losses);
  const double longest = losses.back();
  if (longest == best && losses[losses.size() - 2] > (1 + margin) * longest) {
    return {Reached::kNever, static_cast<double>(run_steps.back())};
  }
  return steps_to((1 + margin) * best, run_steps, losses);
}

}  // namespace interpscale::study
