// The two kinds of subjects, each from a source file of its own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/peers/subjects.hpp"
#include "interpscale/measure/timed.hpp"

namespace interpscale::bench::peers {

[[nodiscard]] measure::Subject product_subject(const Product& product, const Peer& peer);
[[nodiscard]] measure::Subject training_subject(const Training& training, const Peer& peer);

}  // namespace interpscale::bench::peers
