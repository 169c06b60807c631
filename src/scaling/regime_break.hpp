// Is there a step that a smooth law cannot follow, as where a working set outgrows a cache?
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "interpscale/scaling/one_factor.hpp"
#include "scaling/candidate_laws.hpp"

namespace interpscale::scaling {

/// The step of a power law with one step, log T = c + alpha u + step [u beyond the break], two
/// sizes at least on either side, that leaves the least sum of squares. Its p-value: how often
/// times drawn from the chosen law (the first candidate) with normal errors of the size of its
/// residuals give a step that leaves as small a share of what the best smooth candidate leaves. At
/// most `options.resamples` draws, fewer where the answer is plain earlier (Besag and Clifford
/// 1991). Of 4 sizes p is 1: a power law with a step has as many numbers.
[[nodiscard]] RegimeBreak strongest_break(const CandidateLaws& laws,
                                          std::span<const LogLaw> candidates,
                                          std::span<const double> sizes,
                                          std::span<const double> log_times,
                                          const BootstrapOptions& options);

}  // namespace interpscale::scaling
