// SPDX-License-Identifier: Apache-2.0
#include "interpscale/core/random.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "interpscale/core/require.hpp"
#include "support/catch.hpp"

namespace interpscale {
namespace {

constexpr std::uint64_t kSamples = 200'000;
// A right implementation exceeds five standard errors once in 1.7 million tests.
constexpr double kStandardErrors = 5.0;

TEST_CASE("random: bits are Philox4x32-10's published vectors", "[core][random]") {
  // Random123's kat_vectors: counter = (index, stream), key = seed, low words first.
  CHECK(RandomStream(0, 0).bits(0) == 0xe169c58d6627e8d5U);
  CHECK(RandomStream(~0ULL, ~0ULL).bits(~0ULL) == 0x41c83b0e408f276dU);
  CHECK(RandomStream(0x299f31d0a4093822U, 0x0370734413198a2eU).bits(0x85a308d3243f6a88U) ==
        0x94fdccebd16cfe09U);
}

TEST_CASE("random: uniform numbers are inside (0, 1), with the moments of their law",
          "[core][random]") {
  const RandomStream stream(1, 2);
  double sum = 0.0;
  double squares = 0.0;
  double smallest = 1.0;
  double largest = 0.0;
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    const double u = stream.uniform(i);
    smallest = std::min(smallest, u);
    largest = std::max(largest, u);
    sum += u;
    squares += (u - 0.5) * (u - 0.5);
  }
  const double n = kSamples;
  CHECK(smallest > 0.0);
  CHECK(largest < 1.0);
  // Variances of u and of (u - 1/2)^2: 1/12 and 1/80 - 1/144 = 1/180.
  CHECK(std::abs(sum / n - 0.5) < kStandardErrors * std::sqrt(1.0 / 12.0 / n));
  CHECK(std::abs(squares / n - 1.0 / 12.0) < kStandardErrors * std::sqrt(1.0 / 180.0 / n));
}

TEST_CASE("random: normal numbers invert the normal distribution", "[core][random]") {
  // A relative error e of z moves the tail area P by e z phi(z), at most e (1 + z^2) P. The routine
  // is good to 1e-16, its evaluation and erfc's to a few units each: 16 epsilon in all.
  constexpr double kRelative = 16.0 * std::numeric_limits<double>::epsilon();
  const RandomStream stream(3, 4);
  std::uint64_t outside = 0;
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    const double u = stream.uniform(i);
    const double z = stream.normal(i);
    const double tail = 0.5 * std::erfc(std::abs(z) / std::sqrt(2.0));
    const double wanted = z < 0.0 ? u : 1.0 - u;
    outside += std::abs(tail - wanted) > kRelative * (1.0 + z * z) * wanted ? 1U : 0U;
  }
  CHECK(outside == 0);
}

TEST_CASE("random: normal numbers have the moments and tails of their law", "[core][random]") {
  const RandomStream stream(5, 6);
  std::array<double, 5> moments = {};
  std::uint64_t beyond_three = 0;
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    const double z = stream.normal(i);
    double power = 1.0;
    for (double& moment : moments) {
      moment += power;
      power *= z;
    }
    beyond_three += std::abs(z) > 3.0 ? 1U : 0U;
  }
  const double n = kSamples;
  // Variances of z, z^2, z^3, z^4: 1, 2, 15, 96.
  CHECK(std::abs(moments[1] / n) < kStandardErrors * std::sqrt(1.0 / n));
  CHECK(std::abs(moments[2] / n - 1.0) < kStandardErrors * std::sqrt(2.0 / n));
  CHECK(std::abs(moments[3] / n) < kStandardErrors * std::sqrt(15.0 / n));
  CHECK(std::abs(moments[4] / n - 3.0) < kStandardErrors * std::sqrt(96.0 / n));
  const double share = std::erfc(3.0 / std::sqrt(2.0));
  CHECK(std::abs(static_cast<double>(beyond_three) / n - share) <
        kStandardErrors * std::sqrt(share * (1.0 - share) / n));
}

TEST_CASE("random: normal numbers have the same bits on every machine", "[core][random]") {
  const RandomStream stream(7, 8);
  std::uint64_t digest = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    digest = std::rotl(digest, 1) ^ std::bit_cast<std::uint64_t>(stream.normal(i));
  }
  // Recorded once; only IEEE operations take part, so any other value is a mistake.
  CHECK(digest == 0xb21af6011cee54U);
}

TEST_CASE("random: streams and seeds are uncorrelated", "[core][random]") {
  const RandomStream stream(9, 10);
  const std::array<RandomStream, 2> others = {RandomStream(9, 11), RandomStream(10, 10)};
  for (const RandomStream& other : others) {
    double product = 0.0;
    for (std::uint64_t i = 0; i < kSamples; ++i) {
      product += stream.normal(i) * other.normal(i);
    }
    const double n = kSamples;
    CHECK(std::abs(product / n) < kStandardErrors / std::sqrt(n));
  }
}

TEST_CASE("random: numbers below a bound are even", "[core][random]") {
  const RandomStream stream(11, 12);
  std::array<std::uint64_t, 7> counts = {};
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    ++counts.at(stream.below(i, counts.size()));
  }
  const double p = 1.0 / static_cast<double>(counts.size());
  for (const std::uint64_t count : counts) {
    CHECK(std::abs(static_cast<double>(count) / kSamples - p) <
          kStandardErrors * std::sqrt(p * (1.0 - p) / kSamples));
  }
  CHECK(stream.below(5, 1) == 0);
  CHECK(stream.below(5, std::uint64_t{1} << 32U) == stream.bits(5) >> 32U);
  CHECK_THROWS_AS(stream.below(0, 0), ContractViolation);
}

TEST_CASE("random: a permutation holds every index once and moves them evenly", "[core][random]") {
  constexpr std::size_t kCount = 6;
  constexpr std::uint64_t kPermutations = 10'000;
  std::array<std::array<double, kCount>, kCount> counts = {};
  for (std::uint64_t s = 0; s < kPermutations; ++s) {
    const std::vector<std::size_t> order = RandomStream(13, s).permutation(kCount);
    for (std::size_t i = 0; i < kCount; ++i) {
      counts.at(i).at(order.at(i)) += 1.0;
    }
    std::vector<std::size_t> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    REQUIRE(sorted == std::vector<std::size_t>{0, 1, 2, 3, 4, 5});
  }
  const double p = 1.0 / kCount;
  for (const auto& row : counts) {
    for (const double count : row) {
      CHECK(std::abs(count / kPermutations - p) <
            kStandardErrors * std::sqrt(p * (1.0 - p) / kPermutations));
    }
  }
  CHECK(RandomStream(13, 0).permutation(0).empty());
  CHECK(RandomStream(13, 0).permutation(1) == std::vector<std::size_t>{0});
}

}  // namespace
}  // namespace interpscale
