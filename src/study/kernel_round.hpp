// Kernel rounds: which kernel calls a study wants timed by themselves, and in what order.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "interpscale/study/records.hpp"

namespace interpscale::study {

/// The distinct calls of all recorded cells that have no time in this kernel round yet, in an order
/// drawn from the round's seed.
[[nodiscard]] std::vector<std::string> kernels_to_time(const StudyJournal& journal, int round);

}  // namespace interpscale::study
