// Threads pinned to processors: where they run is part of what is measured.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace interpscale::measure {

/// The processors that the calling thread may run on, in ascending order.
[[nodiscard]] std::vector<int> allowed_processors();

/// Pins thread i of OpenMP's team of `threads` to the i-th processor that the calling thread, which
/// is thread 0, may run on, and says which these are: "0,1". "unbound" and no thread pinned if
/// there are fewer processors than threads, or if one could not be pinned. The run-time keeps its
/// threads, so a team of that size stays where it was put.
[[nodiscard]] std::string bind_threads(int threads);

}  // namespace interpscale::measure
