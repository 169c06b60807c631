// On what a round was measured.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace interpscale::measure {

struct Cache {
  int level = 0;
  std::uint64_t bytes = 0;
};

/// What does not change while a process runs. Unknown strings are "unknown", never empty.
struct Environment {
  std::string cpu;
  int cores = 0;
  std::vector<Cache> caches;  ///< data and unified, of core 0, smallest level first
  std::uint64_t memory_bytes = 0;
  std::string governor;
  std::string operating_system;
  std::string compiler;
  std::string flags;
  std::string build_type;
  std::string benchmark_library;  ///< and whether it was built with assertions
  std::string revision;           ///< source revision of the build
  bool dirty = false;             ///< built from a changed work tree
  std::string version;
};

[[nodiscard]] Environment read_environment();

/// What does change.
struct MachineState {
  std::string time;  ///< UTC, ISO 8601
  double load_1min = 0;
  std::uint64_t steal_ticks = 0;  ///< since boot, all cores
  std::uint64_t total_ticks = 0;
};

[[nodiscard]] MachineState read_machine_state();
/// Share of all cores' time that was stolen between two states; 0 where none passed.
[[nodiscard]] double steal_share(const MachineState& before, const MachineState& after);

}  // namespace interpscale::measure
