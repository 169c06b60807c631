// Which subjects and variants a plan names.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/study/plan.hpp"

namespace interpscale::study {

/// A pass (variant "") or one variant of a method.
struct SubjectName {
  std::string subject;
  std::string variant;
  [[nodiscard]] std::string text() const {
    return variant.empty() ? subject : subject + ":" + variant;
  }
  bool operator==(const SubjectName&) const = default;
};

/// Everything that can be timed on a network: the passes, then every variant of every method.
[[nodiscard]] std::vector<SubjectName> all_subjects();

/// The plan's subjects, each once; all of them if it names none. "zero_ablation" names both
/// variants, "zero_ablation:fast" one. An unknown name is an error that lists the known ones.
[[nodiscard]] Result<std::vector<SubjectName>> subjects_of(const Plan& plan);

}  // namespace interpscale::study
