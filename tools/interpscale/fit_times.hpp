// `interpscale fit` on anyone's timings: cost laws of a CSV file or of Google Benchmark's JSON.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "interpscale/timings.hpp"

namespace interpscale::tool {

/// Fits every series of the file in one factor or several and prints the fits; returns the exit
/// code. A series that cannot be fitted is said to be so; all of them, and the input is bad.
[[nodiscard]] int fit_times_file(const std::string& path, const TimingColumns& columns, bool json);

}  // namespace interpscale::tool
