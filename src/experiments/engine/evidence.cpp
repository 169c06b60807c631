// SPDX-License-Identifier: Apache-2.0
#include "interpscale/experiments/evidence.hpp"

#include <algorithm>

namespace interpscale::experiments {

std::string SubjectEvidence::label() const {
  return variant.empty() ? subject : subject + " (" + variant + ")";
}

const SubjectEvidence* Evidence::find(std::string_view subject, std::string_view variant) const {
  const auto found = std::ranges::find_if(subjects, [&](const SubjectEvidence& candidate) {
    return candidate.subject == subject && candidate.variant == variant;
  });
  return found == subjects.end() ? nullptr : &*found;
}

std::vector<const Outcome*> Evidence::outcomes_of(std::string_view experiment) const {
  std::vector<const Outcome*> found;
  for (const Outcome& outcome : outcomes) {
    if (outcome.experiment == experiment && outcome.status == "ok") {
      found.push_back(&outcome);
    }
  }
  return found;
}

}  // namespace interpscale::experiments
