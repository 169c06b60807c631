// C5: N is polynomial in the number of neurons. Exact: it follows from the shapes of the study's
// networks, which grow in width, in depth, or in both.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>

#include "interpscale/experiments/rules.hpp"
#include "interpscale/experiments/spec.hpp"

namespace interpscale::experiments {
namespace {

/// With L >= 2 (or along width alone) no exponent exceeds 2: N / n^2 falls as a network grows.
constexpr double kLargestDegree = 2;

struct Pair {
  const SizeEvidence& small;
  const SizeEvidence& large;
};

/// One way to grow, at fixed input size.
struct Growth {
  std::string name;
  std::function<bool(const Pair&)> grows;
};

/// Depth is followed from two hidden layers on: the first matrix between hidden layers comes with
/// the second of them, and where inputs are few its w^2 weights dwarf all before (an exponent of 6
/// from one layer to two at w = 1024, d = 16), which says nothing of growth.
constexpr std::uint64_t kFewestDeepLayers = 2;

std::vector<Growth> ways_to_grow() {
  return {
      {"width",
       [](const Pair& p) {
         return p.large.width > p.small.width && p.large.depth == p.small.depth;
       }},
      {"depth",
       [](const Pair& p) {
         return p.large.width == p.small.width && p.large.depth > p.small.depth &&
                p.small.depth >= kFewestDeepLayers;
       }},
      {"width and depth together",
       [](const Pair& p) {
         return p.large.width > p.small.width && p.large.depth > p.small.depth &&
                p.small.depth >= kFewestDeepLayers;
       }},
  };
}

/// d log N / d log n between two networks.
double slope(const Pair& pair) {
  const auto log_ratio = [](std::uint64_t large, std::uint64_t small) {
    return std::log(static_cast<double>(large) / static_cast<double>(small));
  };
  return log_ratio(pair.large.parameters, pair.small.parameters) /
         log_ratio(pair.large.neurons, pair.small.neurons);
}

std::vector<double> slopes(const std::vector<SizeEvidence>& sizes, const Growth& growth) {
  std::vector<double> found;
  for (const SizeEvidence& small : sizes) {
    for (const SizeEvidence& large : sizes) {
      if (small.inputs == large.inputs && growth.grows({small, large})) {
        found.push_back(slope({small, large}));
      }
    }
  }
  std::ranges::sort(found);
  return found;
}

LedgerLine judge_growth(const std::vector<SizeEvidence>& sizes, const Growth& growth) {
  const std::string statement =
      fmt::format("N is polynomial in the number of neurons along {}.", growth.name);
  const std::vector<double> found = slopes(sizes, growth);
  if (found.empty()) {
    return not_measured(
        "C5", statement,
        fmt::format("No two networks of the study grow in {} at one input size.", growth.name));
  }
  LedgerLine line;
  line.claim = "C5";
  line.statement = statement;
  line.quantity = "exponent of N in n, middle and range over pairs of networks";
  line.figure = Figure{scaling::median(found), {found.front(), found.back()}};
  line.detail = fmt::format(
      "{} pairs with the same input size, depth from two hidden layers on; exact, from the shapes",
      found.size());
  line.rule = fmt::format("supported if no exponent exceeds {:.0f}", kLargestDegree);
  line.verdict = found.back() <= kLargestDegree ? Verdict::kSupported : Verdict::kContradicted;
  return line;
}

}  // namespace

ExperimentSpec growth_of_size() {
  ExperimentSpec spec;
  spec.name = "growth_of_size";
  spec.summary = "Exponent of N in n along width, depth and both, from the networks' shapes.";
  spec.claims = {"C5"};
  spec.settle = [](const Evidence& evidence) {
    std::vector<LedgerLine> lines;
    for (const Growth& growth : ways_to_grow()) {
      lines.push_back(judge_growth(evidence.sizes, growth));
    }
    return lines;
  };
  return spec;
}

}  // namespace interpscale::experiments
