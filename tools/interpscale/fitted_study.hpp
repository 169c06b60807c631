// A study on disk, read and fitted: what `run`, `fit` and `report` start from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "interpscale/core/result.hpp"
#include "interpscale/study/analysis.hpp"

namespace interpscale::tool {

/// `path`: a study's folder, or its journal. Errors name the path.
[[nodiscard]] Result<study::StudyResult> fitted_study(const std::filesystem::path& path);

}  // namespace interpscale::tool
