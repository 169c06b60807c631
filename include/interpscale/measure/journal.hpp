// An append-only file of JSON Lines: a record is on disk before the next timing starts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "interpscale/core/result.hpp"

namespace interpscale::measure {

/// Appends one line a record, in one write, flushed to disk (fsync) before it returns. Non-finite
/// numbers are refused.
class Journal {
 public:
  /// Opens `path` for appending (creating it), first cutting off a torn last line.
  [[nodiscard]] static Result<Journal> open(const std::filesystem::path& path);
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&& other) noexcept;
  ~Journal();

  [[nodiscard]] Result<void> append(const nlohmann::ordered_json& record);

 private:
  Journal(int descriptor, std::filesystem::path path);
  int descriptor_ = -1;
  std::filesystem::path path_;
};

/// All records of a journal. A torn last line (no newline) is forgiven and left out; anything else
/// malformed is an error with file and line. A missing file is an error.
[[nodiscard]] Result<std::vector<nlohmann::ordered_json>> read_journal(
    const std::filesystem::path& path);

}  // namespace interpscale::measure
