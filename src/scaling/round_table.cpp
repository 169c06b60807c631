// SPDX-License-Identifier: Apache-2.0
#include "scaling/round_table.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "interpscale/core/require.hpp"

namespace interpscale::scaling {
namespace {

constexpr std::size_t kFewestSizes = 4;

bool is_positive(double value) {
  return std::isfinite(value) && value > 0;
}

/// One factor a round: the median over cells of time / the cell's median. Their median is 1.
std::vector<double> common_factors(std::span<const Observation> observations) {
  const std::size_t rounds = observations.front().rounds.size();
  std::vector<std::vector<double>> slowness(rounds);
  for (const Observation& cell : observations) {
    const double typical = median(cell.rounds);
    for (std::size_t r = 0; r < rounds; ++r) {
      slowness[r].push_back(cell.rounds[r] / typical);
    }
  }
  std::vector<double> factors(rounds);
  std::transform(slowness.begin(), slowness.end(), factors.begin(),
                 [](const std::vector<double>& values) { return median(values); });
  const double middle = median(factors);
  for (double& factor : factors) {
    factor /= middle;
  }
  return factors;
}

}  // namespace

Result<RoundTable> RoundTable::from(std::span<const Observation> observations) {
  RoundTable table;
  if (observations.empty()) {
    return fail("found no cells, wanted at least {} sizes", kFewestSizes);
  }
  table.rounds_ = observations.front().rounds.size();
  if (table.rounds_ == 0) {
    return fail("cell '{}': found no rounds, wanted at least one time", observations.front().name);
  }
  for (const Observation& cell : observations) {
    if (cell.rounds.size() != table.rounds_) {
      return fail(
          "cell '{}': found {} rounds, wanted {} as cell '{}' has: fit cells of the same rounds",
          cell.name, cell.rounds.size(), table.rounds_, observations.front().name);
    }
    for (std::size_t r = 0; r < table.rounds_; ++r) {
      if (!is_positive(cell.rounds[r])) {
        return fail(
            "cell '{}', round {}: found time {}, wanted a positive finite number of seconds",
            cell.name, r, cell.rounds[r]);
      }
    }
  }
  const std::vector<double> factors = common_factors(observations);
  const auto by_time = [](const Timed& a, const Timed& b) { return a.time < b.time; };
  for (std::size_t r = 0; r < table.rounds_; ++r) {
    table.sorted_factors_.push_back({r, factors[r], std::log(factors[r])});
  }
  std::sort(table.sorted_factors_.begin(), table.sorted_factors_.end(), by_time);
  for (const Observation& cell : observations) {
    for (std::size_t r = 0; r < table.rounds_; ++r) {
      const double time = cell.rounds[r] / factors[r];
      table.sorted_.push_back({r, time, std::log(time)});
    }
    std::sort(table.sorted_.end() - static_cast<std::ptrdiff_t>(table.rounds_), table.sorted_.end(),
              by_time);
  }
  table.log_medians_.resize(observations.size());
  const std::vector<unsigned> once(table.rounds_, 1);
  table.log_medians_of(once, table.log_medians_);
  return table;
}

double RoundTable::log_median_of(const Timed* row, std::span<const unsigned> counts) const {
  const std::size_t lower_place = (rounds_ - 1) / 2;
  const std::size_t upper_place = rounds_ / 2;
  std::size_t passed = counts[row->round];
  while (passed <= lower_place) {
    passed += counts[(++row)->round];
  }
  const Timed* upper = row;
  while (passed <= upper_place) {
    passed += counts[(++upper)->round];
  }
  return upper == row ? row->log_time : std::log((row->time + upper->time) / 2);
}

void RoundTable::log_medians_of(std::span<const unsigned> counts,
                                std::span<double> log_medians) const {
  require(counts.size() == rounds_ && log_medians.size() * rounds_ == sorted_.size(),
          "counts of other rounds");
  const double common = log_median_of(sorted_factors_.data(), counts);
  for (std::size_t cell = 0; cell < log_medians.size(); ++cell) {
    log_medians[cell] = common + log_median_of(sorted_.data() + cell * rounds_, counts);
  }
}

Result<void> check_sizes(std::span<const double> sizes, std::span<const Observation> observations) {
  require(sizes.size() == observations.size(), "one size for each observation");
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (!is_positive(sizes[i])) {
      return fail("cell '{}': found size {}, wanted a positive finite number", observations[i].name,
                  sizes[i]);
    }
  }
  const std::size_t distinct = std::set<double>(sizes.begin(), sizes.end()).size();
  if (distinct < kFewestSizes) {
    return fail("found {} distinct sizes, wanted at least {}: add sizes to the study", distinct,
                kFewestSizes);
  }
  return {};
}

}  // namespace interpscale::scaling
