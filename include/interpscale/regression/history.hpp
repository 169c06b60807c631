// The times of the project's own past: one line of JSON a revision and machine, and where they
// changed for good.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "interpscale/regression/results.hpp"
#include "interpscale/scaling/change_points.hpp"

namespace interpscale::regression {

struct HistoryCell {
  std::string name;
  double seconds = 0;  ///< median over rounds
  double spread = 0;   ///< median absolute deviation (x 1.48) over the median
  std::size_t rounds = 0;
};

struct HistoryLine {
  std::string revision;
  std::string date;
  Machine machine;
  std::vector<HistoryCell> cells;
};

/// `folder`/<CPU>-<cores>c-<target>-<threads>t.jsonl, in lower case with dashes: a machine's file.
[[nodiscard]] std::filesystem::path history_file(const std::filesystem::path& folder,
                                                 const Machine& machine);

/// Appends a line for `revision` to the file of the results' machine, whole or not at all; false,
/// and nothing is touched, where the file has the revision already. Errors: no revision, or one of
/// a changed work tree; no CPU or SIMD target known; a file that is malformed (file and line).
[[nodiscard]] Result<bool> append_history(const std::filesystem::path& folder,
                                          const ResultSet& results, const std::string& revision);

/// All lines, the oldest first. Errors name file and line.
[[nodiscard]] Result<std::vector<HistoryLine>> read_history(const std::filesystem::path& file);

/// A cell's times over the revisions that have it, and their change points.
struct HistorySeries {
  std::string name;
  std::vector<std::size_t> lines;  ///< indices into the history
  std::vector<double> seconds;
  std::vector<scaling::ChangePoint> changes;  ///< of at least `threshold`; medians in seconds
};

/// E-divisive on log times; changes below the threshold (relative, in time) are left out.
[[nodiscard]] std::vector<HistorySeries> history_series(const std::vector<HistoryLine>& lines,
                                                        double threshold);

/// {"kind": "history", "revisions": [...], "series": [{"name", "points", "changes"}]}.
[[nodiscard]] nlohmann::ordered_json to_json(const std::vector<HistoryLine>& lines,
                                             const std::vector<HistorySeries>& series);
/// A line a change: cell, from, to, by how much, since which revision.
[[nodiscard]] std::string to_text(const std::vector<HistoryLine>& lines,
                                  const std::vector<HistorySeries>& series);

}  // namespace interpscale::regression
