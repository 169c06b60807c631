// SPDX-License-Identifier: Apache-2.0
#include "scaling/round_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>
#include <set>

#include "interpscale/core/require.hpp"
#include "interpscale/scaling/statistics.hpp"

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

/// What 1.4826 MAD of `count` normal values is to be multiplied by to be unbiased (Croux and
/// Rousseeuw 1992, "Time-efficient algorithms for two highly robust estimators of scale").
double small_sample_factor(std::size_t count) {
  constexpr std::array<double, 10> kFactors{0,     0,     1.196, 1.495, 1.363,
                                            1.206, 1.200, 1.140, 1.129, 1.107};
  const auto n = static_cast<double>(count);
  return count < kFactors.size() ? kFactors[count] : n / (n - 0.8);
}

/// influence_r = s sign(t_r - median) / R with s = sqrt(pi / 2) times the deviation of log t: a
/// median of normal values has the variance s^2 / R, and so has sum_r influence_r (c_r - 1) over
/// draws of R rounds. Signs go by rank, as many of either.
void set_influence(std::span<const double> times, std::span<double> influence) {
  const std::size_t rounds = times.size();
  std::vector<double> logs(rounds);
  std::transform(times.begin(), times.end(), logs.begin(), [](double t) { return std::log(t); });
  std::vector<std::size_t> order(rounds);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&logs](std::size_t a, std::size_t b) { return logs[a] < logs[b]; });
  const double deviation = small_sample_factor(rounds) * mad(logs);
  const double size = std::sqrt(std::numbers::pi / 2) * deviation / static_cast<double>(rounds);
  for (std::size_t rank = 0; rank < rounds; ++rank) {
    const bool middle = 2 * rank + 1 == rounds;
    influence[order[rank]] = middle ? 0 : 2 * rank < rounds ? -size : size;
  }
}

}  // namespace

Result<RoundTable> RoundTable::from(std::span<const Observation> observations) {
  RoundTable table;
  if (observations.empty()) {
    return fail("found no cells, wanted at least {} sizes", kFewestSizes);
  }
  const std::size_t rounds = observations.front().rounds.size();
  if (rounds == 0) {
    return fail("cell '{}': found no rounds, wanted at least one time", observations.front().name);
  }
  for (const Observation& cell : observations) {
    if (cell.rounds.size() != rounds) {
      return fail(
          "cell '{}': found {} rounds, wanted {} as cell '{}' has: fit cells of the same rounds",
          cell.name, cell.rounds.size(), rounds, observations.front().name);
    }
    for (std::size_t r = 0; r < rounds; ++r) {
      if (!is_positive(cell.rounds[r])) {
        return fail(
            "cell '{}', round {}: found time {}, wanted a positive finite number of seconds",
            cell.name, r, cell.rounds[r]);
      }
    }
  }
  const std::vector<double> factors = common_factors(observations);
  table.common_influence_.resize(rounds);
  set_influence(factors, table.common_influence_);
  table.influence_ = Matrix<double>(observations.size(), rounds);
  std::vector<double> times(rounds);
  for (std::size_t cell = 0; cell < observations.size(); ++cell) {
    std::transform(observations[cell].rounds.begin(), observations[cell].rounds.end(),
                   factors.begin(), times.begin(), std::divides<>());
    table.log_medians_.push_back(std::log(median(times)));  // that of the factors is 1
    set_influence(times, table.influence_.row(cell));
  }
  return table;
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
