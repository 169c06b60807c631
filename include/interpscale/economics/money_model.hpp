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

}  // namespace interpscale::economics
