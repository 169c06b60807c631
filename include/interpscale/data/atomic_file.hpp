// A file that is whole or not there: written beside its target, flushed to disk, then renamed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "interpscale/core/result.hpp"

namespace interpscale::data {

/// Gone at the end unless `keep` succeeded. Errors (a missing folder, a full disk) are remembered:
/// after the first, nothing more is written, and `keep` returns it.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// On disk and under its final name; the folder's entry as well. An error names the target.
  [[nodiscard]] Result<void> keep();

 private:
  [[nodiscard]] bool rename_flushed();

  std::filesystem::path target_;
  std::string name_;  // of the temporary file
  int descriptor_;
  int error_ = 0;  // errno of the first failure
};

}  // namespace interpscale::data
