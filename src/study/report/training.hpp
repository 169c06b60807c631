// The report's sections on training to a result and on the tax against whole trainings.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "interpscale/study/analysis.hpp"

namespace interpscale::study {

/// Loss laws, steps to a result, the best size for a compute, seconds; empty without trainings.
[[nodiscard]] std::string training_section(const StudyResult& result);
/// The tax against whole trainings, extrapolations and crossings; empty without any.
[[nodiscard]] std::string training_tax_section(const StudyResult& result);

/// "trainings" of the report's JSON.
[[nodiscard]] nlohmann::ordered_json trainings_json(const StudyResult& result);
/// "training_taxes" of a subject.
[[nodiscard]] nlohmann::ordered_json training_taxes_json(const SubjectResult& subject);

}  // namespace interpscale::study
