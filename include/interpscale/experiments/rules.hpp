// The decisions that experiments share: where an interval lies with respect to a band.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/experiments/spec.hpp"

namespace interpscale::experiments {

/// supported: the interval lies within [low, high]; contradicted: it lies wholly outside;
/// otherwise undecided. Bounds belong to the band.
[[nodiscard]] Verdict judge_within(const scaling::Interval& interval, double low, double high);

/// supported: the interval lies above `level`; contradicted: below; otherwise undecided.
[[nodiscard]] Verdict judge_side(const scaling::Interval& interval, double level);

/// Two exponents within this of each other count as equal.
inline constexpr double kEqualWithin = 0.2;
/// The flavour of training whose size is the best for its compute.
inline constexpr std::string_view kComputeOptimal = "compute-optimal";

/// The figure with the interval that it has as one of `comparisons` picked out after looking
/// (Bonferroni): each arm is longer by z(1 - 0.025 / comparisons) / z(0.975).
[[nodiscard]] Figure widened(const Figure& figure, std::size_t comparisons);

/// The same for a positive figure whose arms are symmetric in its logarithm: a ratio of times.
[[nodiscard]] Figure widened_ratio(const Figure& figure, std::size_t comparisons);

/// Method variants (never passes) whose tax could be fitted, in the evidence's order.
[[nodiscard]] std::vector<const SubjectEvidence*> taxed_methods(const Evidence& evidence);

/// A line without a figure: the study did not measure what the claim is about.
[[nodiscard]] LedgerLine not_measured(std::string claim, std::string statement, std::string why);

}  // namespace interpscale::experiments
