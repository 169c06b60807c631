// Made-up studies: times that follow a known law, with the errors that real ones have.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "interpscale/core/random.hpp"
#include "interpscale/scaling/observation.hpp"

namespace interpscale::scaling::synthetic {

/// Standard deviations of log time.
struct Errors {
  double cell = 0;     ///< of one time
  double round = 0;    ///< of a round, all of its cells alike
  double scatter = 0;  ///< of a cell around the law, in all rounds alike
  std::size_t rounds = 9;
};

/// `count` sizes from `first`, evenly spaced in log size over `decades`.
inline std::vector<double> geometric_sizes(std::size_t count, double first, double decades) {
  std::vector<double> sizes;
  for (std::size_t i = 0; i < count; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(count - 1);
    sizes.push_back(first * std::pow(10.0, decades * share));
  }
  return sizes;
}

/// Numbers drawn one after the other.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t stream) : stream_(seed, stream) {}
  double normal(double deviation) { return deviation * stream_.normal(next_++); }

 private:
  RandomStream stream_;
  std::uint64_t next_ = 0;
};

/// Sets the rounds of every cell to time(cell) with errors.
inline void time_cells(std::vector<Observation>& cells,
                       const std::function<double(const Observation&)>& time, const Errors& errors,
                       Draws& draws) {
  std::vector<double> slowness(errors.rounds);
  std::generate(slowness.begin(), slowness.end(), [&] { return draws.normal(errors.round); });
  for (Observation& cell : cells) {
    const double own = draws.normal(errors.scatter);
    cell.rounds.clear();
    for (const double slow : slowness) {
      cell.rounds.push_back(time(cell) * std::exp(own + slow + draws.normal(errors.cell)));
    }
  }
}

/// One cell a size, its N the size.
inline std::vector<Observation> cells_of(const std::vector<double>& sizes) {
  std::vector<Observation> cells;
  for (const double size : sizes) {
    Observation cell;
    cell.name = fmt::format("size {}", size);
    cell.parameters = size;
    cells.push_back(cell);
  }
  return cells;
}

/// Cells at `sizes` that take time(size), with errors.
inline std::vector<Observation> study(const std::vector<double>& sizes,
                                      const std::function<double(double)>& time,
                                      const Errors& errors = {}, std::uint64_t stream = 0) {
  constexpr std::uint64_t kSeed = 4711;
  Draws draws(kSeed, stream);
  std::vector<Observation> cells = cells_of(sizes);
  time_cells(
      cells, [&time](const Observation& cell) { return time(cell.parameters); }, errors, draws);
  return cells;
}

/// Widths x depths with N = d w + (L - 1) w^2, n = w L; slanted: deep networks are narrow and wide
/// ones shallow, and every other cell has four times the inputs.
inline std::vector<Observation> slanted_design() {
  std::vector<Observation> cells;
  const auto add = [&cells](double width, double depth, double inputs) {
    Observation cell;
    cell.name = fmt::format("width {} depth {} inputs {}", width, depth, inputs);
    cell.parameters = inputs * width + (depth - 1) * width * width;
    cell.neurons = width * depth;
    cell.batch = 128;
    cell.inputs = inputs;
    cells.push_back(cell);
  };
  add(32, 4, 32);
  add(32, 16, 128);
  add(64, 1, 256);
  add(64, 4, 64);
  add(64, 8, 256);
  add(128, 1, 128);
  add(128, 2, 512);
  add(128, 8, 128);
  add(256, 1, 1024);
  add(256, 2, 256);
  add(512, 1, 512);
  add(512, 1, 2048);
  return cells;
}

/// P(X <= k) for X binomial(n, p).
inline double binomial_cdf(int k, int n, double p) {
  double sum = 0;
  for (int i = 0; i <= k; ++i) {
    sum += std::exp(std::lgamma(n + 1.0) - std::lgamma(i + 1.0) - std::lgamma(n - i + 1.0) +
                    i * std::log(p) + (n - i) * std::log1p(-p));
  }
  return sum;
}

}  // namespace interpscale::scaling::synthetic
