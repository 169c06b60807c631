// The report's opening: on what and how it was measured.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "interpscale/study/analysis.hpp"

namespace interpscale::study {

/// Machine, build, plan, rounds.
[[nodiscard]] std::string setting_section(const StudyResult& result);
/// The networks that were trained: accuracy and activity.
[[nodiscard]] std::string networks_section(const StudyResult& result);
/// Cells, ranges of N and n, and what the design can tell apart.
[[nodiscard]] std::string design_section(const StudyResult& result);

}  // namespace interpscale::study
