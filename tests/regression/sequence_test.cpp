// SPDX-License-Identifier: Apache-2.0
#include "regression/sequence.hpp"

#include <cmath>

#include "interpscale/core/random.hpp"
#include "support/catch.hpp"

namespace interpscale::regression {
namespace {

constexpr std::uint64_t kSeed = 7;
constexpr std::size_t kCells = 8;
constexpr std::size_t kRounds = 40;
const double kMargin = std::log(1.03);

/// Rounds of all open cells until all are decided or kRounds have passed; every log ratio is
/// `truth` (of cell 0, else 0 or `others`) and normal noise.
Sequence simulate(double truth, double others, double noise, std::uint64_t stream) {
  const RandomStream random(kSeed, stream);
  Sequence sequence(kCells, kMargin);
  std::uint64_t next = 0;
  for (std::size_t round = 1; round <= kRounds && sequence.open_cells() > 0; ++round) {
    for (std::size_t cell = 0; cell < kCells; ++cell) {
      const double value = (cell == 0 ? truth : others) + noise * random.normal(next++);
      if (sequence.is_open(cell)) {
        sequence.add(cell, value);
      }
    }
    sequence.end_round(round);
  }
  sequence.conclude();
  return sequence;
}

int regressed(const Sequence& sequence, std::size_t from = 0) {
  int count = 0;
  for (std::size_t cell = from; cell < kCells; ++cell) {
    count += sequence.judgement(cell).verdict == Verdict::kRegressed ? 1 : 0;
  }
  return count;
}

TEST_CASE("sequence: looking again and again keeps the family's false alarms below 2.5 %",
          "[regression][sequence]") {
  // The hardest truth that is no regression: every cell slower by exactly the threshold.
  constexpr int kRuns = 600;
  int alarms = 0;
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    alarms += regressed(simulate(kMargin, kMargin, 0.02, run)) > 0 ? 1 : 0;
  }
  // Binomial(600, 0.025): mean 15, deviation 3.8; 3.1 deviations above is one in a thousand.
  CHECK(alarms < 27);
  CHECK(alarms > 0);
}

TEST_CASE("sequence: 5 % in 1.5 % noise is found, and the other cells are left alone",
          "[regression][sequence]") {
  constexpr int kRuns = 100;
  int found = 0;
  int elsewhere = 0;
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    const Sequence sequence = simulate(std::log(1.05), 0, 0.015, 1000 + run);
    found += sequence.judgement(0).verdict == Verdict::kRegressed ? 1 : 0;
    elsewhere += regressed(sequence, 1);
  }
  // The distance from the threshold is 8 standard errors of 40 rounds; at most 4 are wanted.
  CHECK(found == kRuns);
  CHECK(elsewhere == 0);
}

TEST_CASE("sequence: a cell that is decided takes no more rounds and keeps its verdict",
          "[regression][sequence]") {
  const Sequence sequence = simulate(std::log(1.5), 0, 0.001, 1);
  CHECK(sequence.open_cells() == 0);
  CHECK(sequence.rounds(0).size() == 8);
  CHECK(sequence.judgement(0).verdict == Verdict::kRegressed);
  CHECK(sequence.judgement(1).verdict == Verdict::kUnchanged);
}

}  // namespace
}  // namespace interpscale::regression
