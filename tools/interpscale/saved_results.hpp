// Saved results of any kind that `compare`, `export` and `history` take.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>

#include "interpscale/core/result.hpp"
#include "interpscale/regression/results.hpp"

namespace interpscale::tool {

/// A study's folder or journal (a name that ends in .jsonl), else Google Benchmark's JSON. A study
/// whose rounds ran on more than one machine, target, backend or number of threads is an error.
[[nodiscard]] Result<regression::ResultSet> read_results(const std::filesystem::path& path);

/// The `interpscale_bench` of a build folder, or the program itself; nothing where `path` is
/// neither.
[[nodiscard]] std::optional<std::filesystem::path> find_bench(const std::filesystem::path& path);

}  // namespace interpscale::tool
