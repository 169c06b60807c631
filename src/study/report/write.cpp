// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "interpscale/study/report.hpp"

namespace interpscale::study {
namespace {

/// Writes beside `path` and renames: a reader sees the old file or the new one.
Result<void> write_atomically(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::path temporary = path;
  temporary += ".tmp";
  {
    std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
    stream << text;
    stream.close();
    if (!stream) {
      std::error_code ignored;
      std::filesystem::remove(temporary, ignored);
      return fail("{}: cannot be written: check that the folder exists and is writable",
                  path.string());
    }
  }
  std::error_code error;
  std::filesystem::rename(temporary, path, error);
  if (error) {
    return fail("{}: cannot be replaced: {}", path.string(), error.message());
  }
  return {};
}

}  // namespace

Result<void> write_report(const StudyResult& result, const std::filesystem::path& folder) {
  const std::array<std::pair<const char*, std::string>, 4> files{{
      {"cells.csv", cells_csv(result)},
      {"laws.csv", laws_csv(result)},
      {"report.md", markdown_report(result)},
      {"report.json", to_json(result).dump(1) + "\n"},
  }};
  for (const auto& [name, text] : files) {
    if (Result<void> written = write_atomically(folder / name, text); !written) {
      return written;
    }
  }
  return {};
}

}  // namespace interpscale::study
