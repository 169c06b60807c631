// Timings that someone else's Google Benchmark binary wrote (--benchmark_format=json).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "interpscale/core/result.hpp"

namespace interpscale::measure {

/// One run of a benchmark, or what stands for its runs where only aggregates were written.
struct BenchmarkRun {
  std::string name;    ///< as the file has it
  std::string family;  ///< the name without its arguments
  /// Arguments by name ("n:1024" in the benchmark's name) or place ("arg1", "arg2", ...), then
  /// counters; finite numbers.
  std::vector<std::pair<std::string, double>> columns;
  std::size_t arguments = 0;  ///< so many of the columns are arguments
  double real_seconds = 0;
  double cpu_seconds = 0;
  bool is_aggregate = false;  ///< a median or, without one, a mean over repetitions
};

struct BenchmarkFile {
  std::vector<BenchmarkRun> runs;
  std::vector<std::string> failed;  ///< "name: message" of benchmarks that report an error
};

/// Repetitions are kept and their aggregates passed over; where a benchmark has aggregates alone,
/// its median or mean is taken. `NaN` and `Infinity`, which Google Benchmark writes bare and JSON
/// does not have, are read and are errors only in a time. Errors name the file and the benchmark.
[[nodiscard]] Result<BenchmarkFile> read_benchmark_file(const std::filesystem::path& file);
/// `name` stands for the file in messages.
[[nodiscard]] Result<BenchmarkFile> parse_benchmark_file(std::string_view text,
                                                         const std::string& name);

}  // namespace interpscale::measure
