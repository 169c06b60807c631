// Back of the envelope, kept honest: what understanding a network costs in money against what
// training it costs, and what is left of the ratio after named corrections with their uncertainty.
// The hours of people are an input here, never a result of the study.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/scaling/observation.hpp"

namespace interpscale::economics {

/// The defaults are the figures of the exchange that the claim comes from.
struct MoneyInputs {
  double training_dollars = 50;  ///< to train an ImageNet classifier once
  double person_years = 10;      ///< to understand one
  double dollars_per_person_year = 250e3;
};

/// A factor that divides the ratio, between `low` and `high`: log-uniform where they differ. A
/// factor below 1 multiplies it (an unfamiliar domain makes understanding dearer).
struct Correction {
  std::string name;
  double low = 1;
  double high = 1;
};

/// The same factor whatever happens.
[[nodiscard]] Correction exactly(std::string name, double factor);
/// 'At most k times': log-uniform on [1, k].
[[nodiscard]] Correction at_most(std::string name, double factor);
/// 'Between a and b times': log-uniform on [a, b].
[[nodiscard]] Correction between(std::string name, double low, double high);

/// The ratio once the corrections up to and including `name` are applied.
struct CorrectedRatio {
  std::string name;
  double median = 0;
  scaling::Interval interval;  ///< 2.5 % and 97.5 % quantiles of the samples
};

struct MoneyEstimate {
  double training_dollars = 0;
  double understanding_dollars = 0;
  double uncorrected = 0;             ///< understanding / training
  double median = 0;                  ///< corrected by all
  scaling::Interval interval;         ///< corrected by all
  std::vector<CorrectedRatio> steps;  ///< one a correction, in their order
};

/// What the corrected ratio would be with one correction at either end of its range, the others at
/// the medians of theirs: one bar of a tornado.
struct Sensitivity {
  std::string name;
  double at_low = 0;  ///< the ratio with the correction at its low end: the larger one
  double at_high = 0;
};

/// If the cost of people grew with N as a measured analysis does: the corrected ratio at a size.
struct ProjectedRatio {
  double parameters = 0;
  double median = 0;
  scaling::Interval interval;
};

struct MonteCarloOptions {
  int samples = 100000;
  std::uint64_t seed = 20261123;
};

/// ratio = person_years dollars_per_person_year / training_dollars / product of the corrections,
/// the corrections drawn independently. An error names the input that is not positive and finite,
/// or the correction whose range is empty. O(samples x corrections).
[[nodiscard]] Result<MoneyEstimate> estimate_money_ratio(const MoneyInputs& inputs,
                                                         std::span<const Correction> corrections,
                                                         const MonteCarloOptions& options);

/// One bar a correction, the longest first (in the ratio of its ends).
[[nodiscard]] std::vector<Sensitivity> tornado(const MoneyInputs& inputs,
                                               std::span<const Correction> corrections);

/// corrected ratio x (N / parameters)^tax_exponent at each of `sizes`, the exponent drawn from a
/// normal distribution whose central 95 % is `interval` around its middle. `parameters` is the size
/// of the network that `inputs` speak of. Errors as `estimate_money_ratio`.
[[nodiscard]] Result<std::vector<ProjectedRatio>> project_money_ratio(
    const MoneyInputs& inputs, std::span<const Correction> corrections, double parameters,
    const scaling::Interval& tax_exponent, std::span<const double> sizes,
    const MonteCarloOptions& options);

}  // namespace interpscale::economics
