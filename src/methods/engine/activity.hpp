// How much of a ReLU network is active: what products over active units alone cost. Where a problem
// holds no measurement, the best that follows from what it holds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "interpscale/methods/probe.hpp"

namespace interpscale::methods::engine {

/// (sample, unit) pairs of hidden layer `layer` that are active; all where none were counted.
[[nodiscard]] std::uint64_t active_pairs(const Problem& problem, std::size_t layer);
/// (sample, active unit of `layer`, active unit of the next hidden layer).
[[nodiscard]] std::uint64_t active_links(const Problem& problem, std::size_t layer);
/// (sample, unit of `layer` that differs from the donor's, active unit of the next).
[[nodiscard]] std::uint64_t differing_links(const Problem& problem, std::size_t layer);
/// The first two, over all Gauss-Legendre nodes of the path from the baseline.
[[nodiscard]] std::uint64_t path_pairs(const Problem& problem, std::size_t layer);
[[nodiscard]] std::uint64_t path_links(const Problem& problem, std::size_t layer);

/// Counts pairs and links of the path into `problem`: a forward pass a node. ReLU only.
void count_path_activity(const Probe<float>& probe, const kernels::Context<float>& context,
                         Problem& problem);

}  // namespace interpscale::methods::engine
