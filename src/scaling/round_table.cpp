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
      table.sorted_.push_back({r, cell.rounds[r], std::log(cell.rounds[r])});
    }
    std::sort(table.sorted_.end() - static_cast<std::ptrdiff_t>(table.rounds_), table.sorted_.end(),
              [](const Timed& a, const Timed& b) { return a.time < b.time; });
  }
  table.log_medians_.resize(observations.size());
  const std::vector<unsigned> once(table.rounds_, 1);
  table.log_medians_of(once, table.log_medians_);
  return table;
}

void RoundTable::log_medians_of(std::span<const unsigned> counts,
                                std::span<double> log_medians) const {
  require(counts.size() == rounds_ && log_medians.size() == cells(), "counts of other rounds");
  const std::size_t lower_place = (rounds_ - 1) / 2;
  const std::size_t upper_place = rounds_ / 2;
  for (std::size_t cell = 0; cell < log_medians.size(); ++cell) {
    const Timed* row = sorted_.data() + cell * rounds_;
    std::size_t passed = counts[row->round];
    while (passed <= lower_place) {
      passed += counts[(++row)->round];
    }
    const Timed* upper = row;
    while (passed <= upper_place) {
      passed += counts[(++upper)->round];
    }
    log_medians[cell] = upper == row ? row->log_time : std::log((row->time + upper->time) / 2);
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
