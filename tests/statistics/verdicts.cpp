// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "interpscale/core/parallel.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/scaling/ratio.hpp"
#include "statistics/parts.hpp"

namespace interpscale::selftest {
namespace {

constexpr int kPart = 3;
constexpr double kConstantWithin = 0.05;
constexpr double kMostWrong = 0.08;  // 1 - the least coverage that is wanted
constexpr double kLeastPower = 0.9;

using Counts = std::array<double, 4>;  // by scaling::Growth

scaling::Growth run_study(double exponent, std::uint64_t stream, const Options& options) {
  const std::vector<double> sizes = geometric_sizes(8, 1e4, 2);
  std::vector<scaling::Observation> numerator = cells_of(sizes);
  std::vector<scaling::Observation> denominator = cells_of(sizes);
  Draws draws(options.seed, stream);
  const Noise noise{.cell = 0.01, .round = 0.03, .scatter = 0.01};
  time_cells(
      numerator,
      [&](const scaling::Observation& cell) {
        return -16 + (1 + exponent) * std::log(cell.parameters);
      },
      noise, draws);
  time_cells(
      denominator, [](const scaling::Observation& cell) { return -18 + std::log(cell.parameters); },
      noise, draws);
  const auto law = scaling::fit_ratio(sizes, numerator, denominator, 1e5, kConstantWithin,
                                      {options.resamples, stream});
  require(law.has_value(), "a simulated tax can be fitted");
  return law->growth;
}

/// What must not be said of a ratio with this exponent, and what should be.
bool is_good(double exponent, const Counts& shares, int studies) {
  const auto share = [&shares](scaling::Growth growth) {
    return shares[static_cast<std::size_t>(growth)];
  };
  const double grows = share(scaling::Growth::kGrows);
  const double shrinks = share(scaling::Growth::kShrinks);
  if (exponent == 0) {
    return within(grows + shrinks, 0, kMostWrong, studies) &&
           within(share(scaling::Growth::kConstant), kLeastPower, 1, studies);
  }
  const bool right_sign = within(exponent > 0 ? shrinks : grows, 0, 0.01, studies);
  const bool beyond = std::abs(exponent) >= kConstantWithin;
  return right_sign &&
         (!beyond || within(share(scaling::Growth::kConstant), 0, kMostWrong / 2, studies)) &&
         (!beyond || within(exponent > 0 ? grows : shrinks, kLeastPower, 1, studies));
}

}  // namespace

Table verdict_rates(const Options& options) {
  Table table{
      "Verdicts on a tax",
      fmt::format(
          "{} studies a row, 8 sizes over two decades, 9 rounds; noise of 1 % in each time, "
          "3 % in each round, 1 % scatter of the cells, in numerator and denominator alike. "
          "`constant` means: the interval inside +-{:g}. Wanted: of a tax that is constant, "
          "at most {:g} % said to grow or shrink and at least {:g} % said to be constant; "
          "of exponents of {:g} and beyond, at least {:g} % found and at most {:g} % said to "
          "be constant; the wrong sign in at most 1 %.",
          options.studies, kConstantWithin, 100 * kMostWrong, 100 * kLeastPower, kConstantWithin,
          100 * kLeastPower, 50 * kMostWrong),
      {"true exponent", "grows", "constant", "shrinks", "undecided"},
      {},
      {}};
  int row = 0;
  for (const double exponent : {0.0, 0.01, 0.02, 0.05, 0.1, -0.01, -0.05, -0.1}) {
    std::vector<scaling::Growth> verdicts(static_cast<std::size_t>(options.studies));
    parallel_for(options.threads, verdicts.size(), [&](std::size_t k) {
      verdicts[k] = run_study(exponent, stream_of(100 * kPart + row, static_cast<int>(k)), options);
    });
    Counts shares{};
    for (const scaling::Growth verdict : verdicts) {
      shares[static_cast<std::size_t>(verdict)] += 1;
    }
    std::vector<std::string> fields{fmt::format("{:+g}", exponent)};
    for (double& share : shares) {
      share /= options.studies;
      fields.push_back(fmt::format("{:.1f} %", 100 * share));
    }
    table.rows.push_back(fields);
    if (!is_good(exponent, shares, options.studies)) {
      table.failures.push_back(fmt::format("true exponent {:g}", exponent));
    }
    ++row;
  }
  return table;
}

}  // namespace interpscale::selftest
