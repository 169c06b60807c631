// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/ratio.hpp"

#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "interpscale/core/require.hpp"
#include "scaling/bootstrap.hpp"
#include "scaling/linear_fit.hpp"
#include "scaling/round_table.hpp"
#include "scaling/unexplained.hpp"

namespace interpscale::scaling {
namespace {

struct Paired {
  std::vector<double> sizes;
  std::vector<Observation> ratios;  // rounds[r] = numerator / denominator of round r
};

/// The cells of both, matched by name; the sizes are the numerator's.
Result<Paired> pair_cells(std::span<const double> sizes, std::span<const Observation> numerator,
                          std::span<const Observation> denominator) {
  std::map<std::string_view, const Observation*> denominators;
  for (const Observation& cell : denominator) {
    if (!denominators.emplace(cell.name, &cell).second) {
      return fail("cell '{}' occurs twice in the denominator: pairing needs one of each name",
                  cell.name);
    }
  }
  std::set<std::string_view> seen;
  Paired paired;
  for (std::size_t i = 0; i < numerator.size(); ++i) {
    if (!seen.insert(numerator[i].name).second) {
      return fail("cell '{}' occurs twice in the numerator: pairing needs one of each name",
                  numerator[i].name);
    }
    const auto found = denominators.find(numerator[i].name);
    if (found == denominators.end()) {
      continue;
    }
    const Observation& below = *found->second;
    if (numerator[i].rounds.size() != below.rounds.size()) {
      return fail(
          "cell '{}': found {} rounds of the numerator and {} of the denominator, wanted the "
          "same rounds",
          below.name, numerator[i].rounds.size(), below.rounds.size());
    }
    Observation ratio = numerator[i];
    ratio.expected = below.expected > 0 ? numerator[i].expected / below.expected : 0;
    for (std::size_t r = 0; r < ratio.rounds.size(); ++r) {
      ratio.rounds[r] /= below.rounds[r];
    }
    paired.sizes.push_back(sizes[i]);
    paired.ratios.push_back(std::move(ratio));
  }
  if (paired.ratios.empty()) {
    return fail("numerator ({} cells) and denominator ({} cells) have no cell name in common",
                numerator.size(), denominator.size());
  }
  return paired;
}

/// One column of log sizes against the reference, so that the intercept is the log ratio there.
Eigen::MatrixXd log_sizes_from(std::span<const double> sizes, double reference_size) {
  Eigen::MatrixXd column(static_cast<Eigen::Index>(sizes.size()), 1);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    column(static_cast<Eigen::Index>(i), 0) = std::log(sizes[i] / reference_size);
  }
  return column;
}

}  // namespace

std::string_view name_of(Growth growth) {
  switch (growth) {
    case Growth::kGrows:
      return "grows";
    case Growth::kConstant:
      return "constant";
    case Growth::kShrinks:
      return "shrinks";
    case Growth::kUndecided:
      return "undecided";
  }
  require(false, "an unknown growth");
  return {};
}

Growth growth_of(const Interval& exponent, double constant_within) {
  // Declared FLOPs may be proportional: what rounding leaves of the exponent 0 is no growth.
  constexpr double kRounding = 1e-9;
  const double bound = constant_within + kRounding;
  if (exponent.low >= -bound && exponent.high <= bound) {
    return Growth::kConstant;
  }
  if (exponent.low > 0) {
    return Growth::kGrows;
  }
  return exponent.high < 0 ? Growth::kShrinks : Growth::kUndecided;
}

Result<RatioLaw> fit_ratio(std::span<const double> sizes, std::span<const Observation> numerator,
                           std::span<const Observation> denominator, double reference_size,
                           double constant_within, const BootstrapOptions& options) {
  require(sizes.size() == numerator.size(), "one size for each cell of the numerator");
  require(reference_size > 0 && constant_within >= 0,
          "a positive reference size, a bound from 0 up");
  for (const std::span<const Observation> side : {numerator, denominator}) {
    if (const Result<RoundTable> checked = RoundTable::from(side); !checked) {
      return tl::unexpected(checked.error());
    }
  }
  const Result<Paired> paired = pair_cells(sizes, numerator, denominator);
  if (!paired) {
    return tl::unexpected(paired.error());
  }
  if (const Result<void> checked = check_sizes(paired->sizes, paired->ratios); !checked) {
    return tl::unexpected(checked.error());
  }
  const Result<RoundTable> table = RoundTable::from(paired->ratios);
  if (!table) {
    return tl::unexpected(table.error());
  }
  const LinearFit linear(log_sizes_from(paired->sizes, reference_size));
  const LinearSolution solution = linear.solve(table->log_medians());

  const ErrorResampler resampler(*table, linear, options);
  const ErrorScale scale = resampler.scale(unexplained(linear, solution, paired->ratios), 2);
  std::vector<double> exponent_errors;
  std::vector<double> reference_errors;
  std::vector<double> errors(table->cells());
  for (std::size_t k = 0; k < resampler.resamples(); ++k) {
    resampler.draw(k, scale, errors);
    const LinearSolution error = linear.solve(errors);
    exponent_errors.push_back(error.slopes(0));
    reference_errors.push_back(error.intercept);
  }
  RatioLaw law;
  law.exponent = solution.slopes(0);
  law.interval = percentile_interval(law.exponent, std::move(exponent_errors), scale.stretch);
  law.growth = growth_of(law.interval, constant_within);
  law.at_reference = std::exp(solution.intercept);
  const Interval log_reference =
      percentile_interval(solution.intercept, std::move(reference_errors), scale.stretch);
  law.at_reference_interval = {std::exp(log_reference.low), std::exp(log_reference.high)};
  return law;
}

}  // namespace interpscale::scaling
