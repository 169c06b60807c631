// The report's tables: one row a subject and variant.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "interpscale/study/analysis.hpp"
#include "study/report/format.hpp"

namespace interpscale::study {

[[nodiscard]] Table laws_table(const StudyResult& result);
/// Law, exponent and theory against N and against n.
[[nodiscard]] Table one_factor_table(const StudyResult& result);
/// The joint law where d is a predictor too; empty where d does not vary.
[[nodiscard]] Table inputs_table(const StudyResult& result);
/// Subjects with mistrusted cells: exponents with and without them.
[[nodiscard]] Table trusted_only_table(const StudyResult& result);
[[nodiscard]] Table tax_table(const StudyResult& result);
[[nodiscard]] Table time_model_table(const StudyResult& result);
[[nodiscard]] Table predicted_cells_table(const StudyResult& result);
[[nodiscard]] Table ledger_table(const StudyResult& result);
/// Cells that are mistrusted, failed or not fitted, and why.
[[nodiscard]] Table doubtful_cells_table(const StudyResult& result);

}  // namespace interpscale::study
