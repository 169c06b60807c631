// A study's result as files: for a person (Markdown), a program (JSON) and a table (CSV).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "interpscale/core/result.hpp"
#include "interpscale/study/analysis.hpp"

namespace interpscale::study {

/// The report as a paper's results section. Figures are linked as figures/<name>.png.
[[nodiscard]] std::string markdown_report(const StudyResult& result);
/// One line a cell, with a header line.
[[nodiscard]] std::string cells_csv(const StudyResult& result);
/// One line a subject and variant, with a header line.
[[nodiscard]] std::string laws_csv(const StudyResult& result);
/// The laws as a table for a terminal.
[[nodiscard]] std::string laws_text(const StudyResult& result);

/// Writes report.json, report.md, cells.csv and laws.csv into `folder`, which must exist; each is
/// complete or as before (a temporary file is renamed into place).
[[nodiscard]] Result<void> write_report(const StudyResult& result,
                                        const std::filesystem::path& folder);

}  // namespace interpscale::study
