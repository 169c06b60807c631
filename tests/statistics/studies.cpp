// SPDX-License-Identifier: Apache-2.0
#include "statistics/studies.hpp"

#include <fmt/format.h>

#include <cmath>

namespace interpscale::selftest {

double Draws::exponential() {
  return -std::log(uniform());
}

double Draws::heavy() {
  // A normal over the root of chi-squared / 3; the variance of t3 is 3.
  const double numerator = normal();
  double chi_squared = 0;
  for (int degree = 0; degree < 3; ++degree) {
    const double z = normal();
    chi_squared += z * z;
  }
  return numerator / std::sqrt(chi_squared);
}

std::vector<double> geometric_sizes(std::size_t count, double first, double decades) {
  std::vector<double> sizes;
  for (std::size_t i = 0; i < count; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(count - 1);
    sizes.push_back(first * std::pow(10.0, decades * share));
  }
  return sizes;
}

std::vector<scaling::Observation> cells_of(const std::vector<double>& sizes) {
  std::vector<scaling::Observation> cells(sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    cells[i].name = fmt::format("size {}", sizes[i]);
    cells[i].parameters = sizes[i];
  }
  return cells;
}

void time_cells(std::vector<scaling::Observation>& cells, const LogTime& log_time,
                const Noise& noise, Draws& draws) {
  std::vector<double> slowness(noise.rounds);
  for (std::size_t r = 0; r < noise.rounds; ++r) {
    const double elapsed =
        noise.rounds > 1 ? static_cast<double>(r) / static_cast<double>(noise.rounds - 1) : 0;
    slowness[r] = noise.round * draws.normal() + noise.drift * elapsed;
  }
  for (scaling::Observation& cell : cells) {
    const double own = log_time(cell) + noise.scatter * draws.normal();
    cell.rounds.clear();
    for (const double slow : slowness) {
      double error = noise.cell * (noise.heavy_tails ? draws.heavy() : draws.normal());
      if (noise.spike_probability > 0 && draws.uniform() < noise.spike_probability) {
        error += std::log1p(noise.spike_mean * draws.exponential());
      }
      cell.rounds.push_back(std::exp(own + slow + error));
    }
  }
}

std::vector<scaling::Observation> slanted_design() {
  struct Shape {
    double width;
    double depth;
    double inputs;
  };
  std::vector<scaling::Observation> cells;
  for (const Shape& shape : {Shape{32, 4, 32},
                             {32, 16, 128},
                             {64, 1, 256},
                             {64, 4, 64},
                             {64, 8, 256},
                             {128, 1, 128},
                             {128, 2, 512},
                             {128, 8, 128},
                             {256, 1, 1024},
                             {256, 2, 256},
                             {512, 1, 512},
                             {512, 1, 2048}}) {
    scaling::Observation cell;
    cell.name = fmt::format("width {} depth {} inputs {}", shape.width, shape.depth, shape.inputs);
    cell.parameters = shape.inputs * shape.width + (shape.depth - 1) * shape.width * shape.width;
    cell.neurons = shape.width * shape.depth;
    cell.inputs = shape.inputs;
    cells.push_back(cell);
  }
  return cells;
}

std::uint64_t stream_of(int part, int study) {
  return (static_cast<std::uint64_t>(part) << 32U) + static_cast<std::uint64_t>(study);
}

}  // namespace interpscale::selftest
