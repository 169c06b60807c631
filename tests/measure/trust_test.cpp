// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/trust.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "interpscale/core/require.hpp"
#include "support/catch.hpp"

using interpscale::measure::judge;
using interpscale::measure::RoundTime;
using interpscale::measure::Trust;

namespace {

std::vector<RoundTime> rounds_of(const std::vector<double>& seconds, double steal_share = 0.0) {
  std::vector<RoundTime> rounds;
  for (const double value : seconds) {
    rounds.push_back({value, steal_share});
  }
  return rounds;
}

}  // namespace

TEST_CASE("trust: quiet rounds are trusted", "[measure][trust]") {
  const Trust trust = judge(rounds_of({1.00, 1.01, 0.99, 1.02, 1.00}), {});
  CHECK(trust.trusted);
  CHECK(trust.reason.empty());
  CHECK(trust.median == 1.00);
  CHECK(trust.relative_mad == Approx(0.01));
}

TEST_CASE("trust: one disturbed round does not spoil a cell", "[measure][trust]") {
  CHECK(judge(rounds_of({1.00, 1.01, 5.0, 0.99, 1.00}), {}).trusted);
}

TEST_CASE("trust: scatter beyond the bound is named with both numbers", "[measure][trust]") {
  const Trust trust = judge(rounds_of({1.0, 1.2, 0.8, 1.2, 0.8}), {});
  CHECK_FALSE(trust.trusted);
  CHECK(trust.relative_mad == Approx(0.2));
  CHECK(trust.reason.find("20.0 % (bound 5 %)") != std::string::npos);
}

TEST_CASE("trust: drift between the halves is found, the middle round left out",
          "[measure][trust]") {
  const Trust trust =
      judge(rounds_of({1.00, 1.01, 1.05, 1.20, 1.22}), {.largest_relative_mad = 1.0});
  CHECK_FALSE(trust.trusted);
  CHECK(trust.drift == Approx(std::log(1.21 / 1.005)));
  CHECK(trust.reason.find("drift") != std::string::npos);
}

TEST_CASE("trust: stolen time is a reason of its own", "[measure][trust]") {
  const Trust trust = judge(rounds_of({1.0, 1.0, 1.0}, 0.2), {});
  CHECK_FALSE(trust.trusted);
  CHECK(trust.reason == "stolen time 20.0 % (bound 5 %)");
}

TEST_CASE("trust: a bound that is met exactly is met", "[measure][trust]") {
  CHECK(judge(rounds_of({1.0, 1.0, 1.0}, 0.05), {}).trusted);
}

TEST_CASE("trust: no round and one round say nothing of spread", "[measure][trust]") {
  CHECK_FALSE(judge({}, {}).trusted);
  const Trust trust = judge(rounds_of({2.0}), {});
  CHECK_FALSE(trust.trusted);
  CHECK(trust.median == 2.0);
}

TEST_CASE("trust: a time that is none is a contract violation", "[measure][trust]") {
  CHECK_THROWS_AS(judge(rounds_of({1.0, 0.0}), {}), interpscale::ContractViolation);
  CHECK_THROWS_AS(judge(rounds_of({1.0, std::nan("")}), {}), interpscale::ContractViolation);
}
