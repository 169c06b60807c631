// Timings that a Google Benchmark binary wrote (--benchmark_out, --benchmark_format=json).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "interpscale/core/result.hpp"

namespace interpscale::measure {

/// One run of a benchmark, or what stands for its runs where only aggregates were written.
struct BenchmarkRun {
  std::string name;      ///< as the file has it
  std::string run_name;  ///< what repetitions and aggregates share
  std::string family;    ///< the run's name without its arguments
  /// Arguments by name ("n:1024" in the benchmark's name) or place ("arg1", "arg2", ...), then
  /// counters; finite numbers.
  std::vector<std::pair<std::string, double>> columns;
  std::size_t arguments = 0;  ///< so many of the columns are arguments
  double real_seconds = 0;
  double cpu_seconds = 0;     ///< 0 where the file has none that is positive
  bool is_aggregate = false;  ///< a median or, without one, a mean over repetitions
};

/// A benchmark that reports an error.
struct FailedBenchmark {
  std::string name;
  std::string message;
};

struct BenchmarkFile {
  /// The texts and numbers of "context" by name, as JSON writes them (texts without quotes).
  std::map<std::string, std::string> context;
  std::vector<BenchmarkRun> runs;
  std::vector<FailedBenchmark> failed;
  std::size_t aggregates = 0;  ///< entries of any kind of aggregate, whether they stand in or not
};

/// Repetitions are kept and their aggregates passed over; where a benchmark has aggregates alone,
/// its median or mean is taken. `NaN` and `Infinity`, which Google Benchmark writes bare and JSON
/// does not have, are read and are errors only in a time. Errors name the file and the benchmark,
/// or the byte of what is no JSON.
[[nodiscard]] Result<BenchmarkFile> read_benchmark_file(const std::filesystem::path& file);
/// `name` stands for the file in messages.
[[nodiscard]] Result<BenchmarkFile> parse_benchmark_file(std::string_view text,
                                                         const std::string& name);

}  // namespace interpscale::measure
