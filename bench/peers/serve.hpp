// A peer as a process that answers, so that many can be timed in turns.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "bench/peers/peer.hpp"

namespace interpscale::bench::peers {

/// Writes one JSON object a line to standard output: first what the peer is and the names it has,
/// then an answer to each line of standard input until it ends.
///
///     time SECONDS NAME     {"name", "ok", "seconds", "iterations", "flops", "reason"}
///     limits SECONDS        {"flops_per_second", "round_trip_nanoseconds", "placement"}
///
/// What is timed is prepared and verified when it is first asked for, and kept until something else
/// is. Returns the exit status: 2 after a line of another form, which is named on standard error.
[[nodiscard]] int serve(const Peer& peer, const std::string& binding, int threads);

}  // namespace interpscale::bench::peers
