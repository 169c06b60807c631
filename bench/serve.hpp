// interpscale_bench as a child of `interpscale compare`: says what it can time, then answers
// requests, one line of JSON each, until its input ends.
//
// First: {"protocol": 1, "machine": {...}, "build": {...}, "cells": [{"name", "parameters", ...}]}
//   prepare I V S   prepare cell I (verify it first if V is 1); {"iterations": that last S seconds}
//   time K          {"seconds": of one run, the mean over K}
//   count K         run K times under callgrind; {"counted": K}
// Anything that fails: {"error": why}.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/options.hpp"

namespace interpscale::bench {

/// The process's exit status.
[[nodiscard]] int serve(const Options& options);

}  // namespace interpscale::bench
