// Anyone's timings, from a CSV file or from Google Benchmark's JSON, as cells to fit.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/scaling/observation.hpp"
#include "interpscale/scaling/two_factor.hpp"

namespace interpscale::tool {

/// Names of columns. Empty ones of a benchmark file: its arguments, and real_time.
struct TimingColumns {
  std::vector<std::string> factors;  ///< one or more measures of size
  std::string time;
  std::string series;  ///< CSV only: fitted apart by this column; empty: all rows together
};

/// What is fitted as one: cells, their repetitions as rounds.
struct TimingSeries {
  std::string name;
  std::vector<scaling::Factor> factors;
  std::vector<scaling::Observation> cells;
  std::vector<std::string> notes;
};

/// A file whose name ends in .json is Google Benchmark's, any other CSV. Rows of the same factors
/// are repetitions of a cell, in the order of the file; where cells differ in how many they have, a
/// note says so and medians are fitted. Errors name file, line or benchmark.
[[nodiscard]] Result<std::vector<TimingSeries>> read_timings(const std::string& path,
                                                             const TimingColumns& columns);

}  // namespace interpscale::tool
