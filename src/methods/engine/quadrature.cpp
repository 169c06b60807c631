// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/quadrature.hpp"

#include <cmath>
#include <numbers>

#include "interpscale/core/require.hpp"
#include "methods/engine/shapes.hpp"

namespace interpscale::methods::engine {
namespace {

/// Enough for Newton's iteration, which doubles the digits, from a guess good to a few per cent.
constexpr int kNewtonSteps = 8;

struct Legendre {
  long double value;  // P_K(x)
  long double slope;  // P_K'(x)
};

Legendre legendre(std::size_t degree, long double x) {
  long double below = 1.0L;
  long double value = x;
  for (std::size_t k = 2; k <= degree; ++k) {
    const auto order = static_cast<long double>(k);
    const long double next = ((2.0L * order - 1.0L) * x * value - (order - 1.0L) * below) / order;
    below = value;
    value = next;
  }
  const auto order = static_cast<long double>(degree);
  return {value, order * (below - x * value) / ((1.0L - x) * (1.0L + x))};
}

}  // namespace

void gauss_legendre(std::span<double> positions, std::span<double> weights) {
  const std::size_t count = positions.size();
  require(count > 0 && weights.size() == count, "a quadrature needs as many weights as nodes");
  for (std::size_t k = 0; 2 * k < count; ++k) {
    // The k-th largest root, and its mirror image.
    long double x =
        std::cos(std::numbers::pi_v<long double> * (static_cast<long double>(k) + 0.75L) /
                 (static_cast<long double>(count) + 0.5L));
    if (2 * k + 1 == count) {
      x = 0.0L;
    } else {
      for (int step = 0; step < kNewtonSteps; ++step) {
        const Legendre at = legendre(count, x);
        x -= at.value / at.slope;
      }
    }
    const long double slope = legendre(count, x).slope;
    const auto weight = static_cast<double>(1.0L / ((1.0L - x) * (1.0L + x) * slope * slope));
    positions[k] = static_cast<double>((1.0L - x) / 2.0L);
    positions[count - 1 - k] = static_cast<double>((1.0L + x) / 2.0L);
    weights[k] = weight;
    weights[count - 1 - k] = weight;
  }
}

std::size_t path_steps(const MethodOptions& options) {
  require(options.steps > 0, "a path needs at least one step");
  return static_cast<std::size_t>(options.steps);
}

GaussLegendre::GaussLegendre(std::size_t nodes, Workspace& workspace)
    : positions(workspace.vector<double>(nodes)), weights(workspace.vector<double>(nodes)) {
  gauss_legendre(positions, weights);
}

std::uint64_t GaussLegendre::scratch_bytes(std::size_t nodes) {
  return 2 * vector_bytes<double>(nodes);
}

}  // namespace interpscale::methods::engine
