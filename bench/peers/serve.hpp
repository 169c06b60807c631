// A peer as a process that answers, so that many can be timed in turns.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bench/grid.hpp"
#include "interpscale/measure/timed.hpp"

namespace interpscale::bench::peers {

/// What a process says of itself before it is asked anything.
struct About {
  std::string name;     ///< "openblas"
  std::string version;  ///< the library's own words
  std::string setup;    ///< how it is used here
  std::string binding;  ///< the processors of its threads, or "unbound"
  int threads = 1;
};

/// Work whose operands and results another process can be given.
class Written : public measure::Timed {
 public:
  /// Of the last run, into a folder that is there; what must be known besides, as JSON.
  [[nodiscard]] virtual Result<std::string> write(const std::filesystem::path& folder) = 0;
};

/// Writes one JSON object a line to standard output: first what the peer is and the names it has,
/// then an answer to each line of standard input until it ends.
///
///     time SECONDS NAME     {"name", "ok", "seconds", "iterations", "flops", "reason"}
///     write NAME FOLDER     {"name", "ok", "reason", "facts"}, of what can be written
///     limits SECONDS        {"flops_per_second", "round_trip_nanoseconds", "placement"}
///
/// What is timed is prepared and verified when it is first asked for, and kept until something else
/// is. Returns the exit status: 2 after a line of another form, which is named on standard error.
[[nodiscard]] int serve(const About& about, std::vector<GridEntry> entries);

}  // namespace interpscale::bench::peers
