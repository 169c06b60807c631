// SPDX-License-Identifier: Apache-2.0
#include "interpscale/regression/compare.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"
#include "support/catch.hpp"

namespace interpscale::regression {
namespace {

using Catch::Matchers::Contains;
using scaling::Observation;

constexpr std::uint64_t kSeed = 99;

struct Run {
  std::size_t cells = 8;
  std::size_t rounds = 9;
  double noise = 0.01;
  double slow_round = 0;  ///< deviation of a round's own slowness, shared by base and candidate
};

struct Pair {
  std::vector<Observation> base;
  std::vector<Observation> candidate;
};

/// The candidate takes `slowdown` times as long in cell 0, as long as the base in the others.
Pair simulate(const Run& run, double slowdown, std::uint64_t stream) {
  const RandomStream random(kSeed, stream);
  std::uint64_t next = 0;
  Pair pair;
  std::vector<double> slowness;
  for (std::size_t r = 0; r < run.rounds; ++r) {
    slowness.push_back(run.slow_round * random.normal(next++));
  }
  for (std::size_t c = 0; c < run.cells; ++c) {
    Observation below;
    below.name = fmt::format("cell {}", c);
    Observation above = below;
    const double seconds = 1e-3 * static_cast<double>(c + 1);
    for (const double slow : slowness) {
      below.rounds.push_back(seconds * std::exp(slow + run.noise * random.normal(next++)));
      above.rounds.push_back((c == 0 ? slowdown : 1) * seconds *
                             std::exp(slow + run.noise * random.normal(next++)));
    }
    pair.base.push_back(below);
    pair.candidate.push_back(above);
  }
  return pair;
}

Comparison comparison_of(const Pair& pair, const CompareOptions& options = {}) {
  const auto comparison = compare(pair.base, pair.candidate, options);
  REQUIRE(comparison);
  return *comparison;
}

TEST_CASE("compare: exact ratios give their verdicts and their mean", "[regression]") {
  const Run exact{.cells = 4, .noise = 0};
  struct Case {
    double slowdown;
    Verdict verdict;
    int exit;
  };
  for (const Case& each : {Case{1.1, Verdict::kRegressed, 1}, Case{0.9, Verdict::kImproved, 0},
                           Case{1.02, Verdict::kUnchanged, 0}}) {
    CAPTURE(each.slowdown);
    const Comparison comparison = comparison_of(simulate(exact, each.slowdown, 0));
    CHECK(comparison.cells[0].verdict == each.verdict);
    CHECK(comparison.cells[0].ratio == Approx(each.slowdown));
    CHECK(comparison.cells[0].interval.low == Approx(each.slowdown));
    CHECK(comparison.cells[1].verdict == Verdict::kUnchanged);
    CHECK(comparison.verdict == each.verdict);
    CHECK(exit_code(comparison.verdict) == each.exit);
    CHECK(comparison.geometric_mean_ratio == Approx(std::pow(each.slowdown, 0.25)));
    CHECK(comparison.note.empty());
  }
}

TEST_CASE("compare: the worst verdict wins, inconclusive before improved", "[regression]") {
  CHECK(exit_code(Verdict::kInconclusive) == 3);
  Pair pair = simulate({.cells = 3, .noise = 0}, 0.5, 0);
  for (std::size_t r = 0; r < pair.base[1].rounds.size(); ++r) {
    pair.candidate[1].rounds[r] *= r % 2 == 0 ? 1.2 : 0.8;
  }
  CHECK(comparison_of(pair).cells[1].verdict == Verdict::kInconclusive);
  CHECK(comparison_of(pair).verdict == Verdict::kInconclusive);
  for (double& time : pair.candidate[2].rounds) {
    time *= 2;
  }
  CHECK(comparison_of(pair).verdict == Verdict::kRegressed);
}

TEST_CASE("compare: the verdict is what the interval says against the threshold", "[regression]") {
  for (std::uint64_t k = 0; k < 100; ++k) {
    const Comparison comparison = comparison_of(simulate({.noise = 0.02}, 1.06, k));
    for (const CellComparison& cell : comparison.cells) {
      const double limit = 1 + comparison.threshold;
      const bool regressed = cell.interval.low > limit;
      const bool improved = cell.interval.high < 1 / limit;
      const bool inside = cell.interval.low >= 1 / limit && cell.interval.high <= limit;
      CHECK(cell.verdict == (regressed  ? Verdict::kRegressed
                             : improved ? Verdict::kImproved
                             : inside   ? Verdict::kUnchanged
                                        : Verdict::kInconclusive));
      // Holm: a verdict is given exactly where the p-value clears the cell's level.
      CHECK((cell.verdict != Verdict::kInconclusive) == (cell.p_value <= 1 - cell.confidence));
      CHECK(cell.confidence >= 0.95);
      CHECK(cell.confidence <= 1 - 0.05 / 8 + 1e-12);
    }
  }
}

TEST_CASE("compare: A against A raises next to no false alarm", "[regression]") {
  constexpr int kRuns = 400;
  int alarms = 0;
  int unchanged = 0;
  for (int k = 0; k < kRuns; ++k) {
    const Comparison comparison =
        comparison_of(simulate({.slow_round = 0.1}, 1, static_cast<std::uint64_t>(k)));
    alarms += comparison.verdict == Verdict::kRegressed ? 1 : 0;
    unchanged += comparison.verdict == Verdict::kUnchanged ? 1 : 0;
  }
  // The threshold lies 6 standard errors away: not one of 400 x 8 cells should reach it.
  CHECK(alarms == 0);
  CHECK(unchanged > kRuns * 9 / 10);
}

TEST_CASE("compare: at the threshold itself the family's false alarms stay below 2.5 %",
          "[regression]") {
  // The hardest truth that is no regression: every cell slower by exactly the threshold.
  constexpr int kRuns = 1000;
  int alarms = 0;
  for (int k = 0; k < kRuns; ++k) {
    Pair pair = simulate({}, 1, static_cast<std::uint64_t>(k));
    for (Observation& cell : pair.candidate) {
      for (double& time : cell.rounds) {
        time *= 1.03;
      }
    }
    alarms += comparison_of(pair).verdict == Verdict::kRegressed ? 1 : 0;
  }
  // Binomial(1000, 0.025): mean 25, deviation 4.9; 3.1 deviations above is one in a thousand. And
  // Holm is not idle: eight cells at 2.5 % each would give 184.
  CHECK(alarms > 5);
  CHECK(alarms < 41);
}

TEST_CASE("compare: a planted slow-down of 10 % in 1 % noise is found", "[regression]") {
  constexpr int kRuns = 200;
  int found = 0;
  int found_elsewhere = 0;
  for (int k = 0; k < kRuns; ++k) {
    const Comparison comparison =
        comparison_of(simulate({.slow_round = 0.05}, 1.1, static_cast<std::uint64_t>(k)));
    found += comparison.cells[0].verdict == Verdict::kRegressed ? 1 : 0;
    for (std::size_t c = 1; c < comparison.cells.size(); ++c) {
      found_elsewhere += comparison.cells[c].verdict == Verdict::kRegressed ? 1 : 0;
    }
  }
  // 6.6 % beyond the threshold is 14 standard errors of nine paired rounds.
  CHECK(found == kRuns);
  CHECK(found_elsewhere == 0);
}

TEST_CASE("compare: pairing removes what slows both, saved results cannot", "[regression]") {
  const Pair pair = simulate({.cells = 2, .slow_round = 0.2}, 1, 3);
  const Comparison paired = comparison_of(pair);
  const Comparison saved = comparison_of(pair, {.paired = false});
  CHECK(paired.verdict == Verdict::kUnchanged);
  CHECK(paired.threshold == 0.03);
  CHECK(saved.verdict == Verdict::kInconclusive);
  CHECK(saved.threshold == 0.10);
  CHECK_FALSE(saved.paired);
  CHECK_THAT(saved.note, Contains("10 % instead of 3 %"));
  CHECK(saved.cells[0].ratio == Approx(paired.cells[0].ratio));
}

TEST_CASE("compare: saved results may have different numbers of rounds", "[regression]") {
  Pair pair = simulate({.cells = 2, .rounds = 12}, 1.3, 3);
  for (Observation& cell : pair.candidate) {
    cell.rounds.resize(7);
  }
  CHECK(comparison_of(pair, {.paired = false}).cells[0].verdict == Verdict::kRegressed);
  const auto paired = compare(pair.base, pair.candidate, {});
  REQUIRE_FALSE(paired);
  CHECK_THAT(paired.error().message, Contains("12 rounds") && Contains("7 of the candidate"));
}

TEST_CASE("compare: cells of one side alone are listed, not forgotten", "[regression]") {
  Pair pair = simulate({.cells = 3}, 1, 0);
  pair.candidate[2].name = "new";
  const Comparison comparison = comparison_of(pair);
  CHECK(comparison.cells.size() == 2);
  CHECK(comparison.only_base == std::vector<std::string>{"cell 2"});
  CHECK(comparison.only_candidate == std::vector<std::string>{"new"});
  CHECK_THAT(comparison.note, Contains("1 cells of the base alone, 1 of the candidate alone"));
}

TEST_CASE("compare: what cannot be compared is an error that says what is wanted", "[regression]") {
  const Pair good = simulate({.cells = 3}, 1, 0);
  const auto message = [](const Pair& pair) {
    const auto comparison = compare(pair.base, pair.candidate, {});
    return comparison ? std::string() : comparison.error().message;
  };
  REQUIRE(message(good).empty());
  Pair pair = simulate({.cells = 3, .rounds = 4}, 1, 0);
  CHECK_THAT(message(pair), Contains("found 4 rounds, wanted at least 5"));
  pair = good;
  pair.candidate[1].rounds.pop_back();
  CHECK_THAT(message(pair), Contains("candidate, cell 'cell 1': found 8 rounds, wanted 9"));
  pair = good;
  pair.candidate[1].name = "cell 0";
  CHECK_THAT(message(pair), Contains("'cell 0' occurs twice"));
  pair = good;
  pair.candidate[2].neurons = 64;
  CHECK_THAT(message(pair), Contains("'cell 2' is another problem"));
  pair = good;
  pair.base[0].rounds[3] = std::numeric_limits<double>::infinity();
  CHECK_THAT(message(pair), Contains("base, cell 'cell 0', round 3: found time inf"));
  pair = good;
  for (Observation& cell : pair.candidate) {
    cell.name += "x";
  }
  CHECK_THAT(message(pair), Contains("no cell in common"));
  CHECK_THAT(message({}), Contains("no cell in common"));
  CHECK_THROWS_AS(compare(good.base, good.candidate, {.threshold = 0}), ContractViolation);
}

}  // namespace
}  // namespace interpscale::regression
