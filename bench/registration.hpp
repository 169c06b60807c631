// Hands the grid to Google Benchmark.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/grid.hpp"

namespace interpscale::bench {

/// Prepares one entry at a time, when its benchmark is first called, verifies it once, and
/// remembers which ones failed.
class Stage {
 public:
  explicit Stage(double peak_flops_per_second) : peak_(peak_flops_per_second) {}

  /// Registers the grid's entries in their order. The stage must outlive the benchmarks' run.
  void register_all(const std::vector<GridEntry>& grid);

  /// Name and reason of what failed.
  [[nodiscard]] const std::map<std::string, std::string>& failures() const { return failures_; }

 private:
  struct Act;  // defined in the source: what is prepared

  /// The entry, prepared and verified; null if it failed.
  [[nodiscard]] std::shared_ptr<Act> prepared(const GridEntry& entry);
  [[nodiscard]] Result<std::shared_ptr<Act>> prepare(const GridEntry& entry);

  double peak_;
  std::shared_ptr<Act> current_;
  std::map<std::string, std::string> failures_;
  std::map<std::string, bool> verified_;
};

}  // namespace interpscale::bench
