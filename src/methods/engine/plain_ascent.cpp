// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/plain_ascent.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "interpscale/core/random.hpp"
#include "methods/engine/ascent.hpp"
#include "methods/engine/plain.hpp"

namespace interpscale::methods::engine {
namespace {

/// Of the options' seed: beyond the streams of orders, which are numbered by layer.
constexpr std::uint64_t kFirstStream = std::uint64_t{1} << 48U;

double norm_of(std::span<const double> v) {
  double squares = 0.0;
  for (const double value : v) {
    squares += value * value;
  }
  return std::sqrt(squares);
}

struct PlainValue {
  double value;
  std::vector<double> gradient;
  double kink;  ///< the smallest |z| of the ReLUs below, infinite without
};

/// z of one unit, and its gradient in the inputs.
PlainValue plain_value(const nn::Mlp<double>& network, std::size_t layer, std::size_t unit,
                       std::span<const double> x) {
  const kernels::Activation phi = network.topology.activation;
  const PlainTrace trace = plain_forward(network, x);
  const std::span<const double> weights = network.layers[layer].weights.row(unit);
  std::vector<double> gradient(weights.begin(), weights.end());
  double kink = std::numeric_limits<double>::infinity();
  for (std::size_t k = layer; k-- > 0;) {
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] *= plain_slope(phi, trace.z[k][i]);
      if (phi == kernels::Activation::kRelu) {
        kink = std::fmin(kink, std::abs(trace.z[k][i]));
      }
    }
    gradient = plain_transposed_product(network.layers[k], gradient);
  }
  return {trace.z[layer][unit], std::move(gradient), kink};
}

/// P(x + s g / norm(g)) with s = r t / (1 - t).
std::vector<double> plain_trial(std::span<const double> x, std::span<const double> gradient,
                                double share, double radius) {
  std::vector<double> trial(x.begin(), x.end());
  const double norm = norm_of(gradient);
  for (std::size_t i = 0; i < trial.size() && norm > 0.0; ++i) {
    trial[i] = share == 1.0 ? radius * gradient[i] / norm
                            : x[i] + radius * share / (1.0 - share) * gradient[i] / norm;
  }
  const double length = norm_of(trial);
  for (double& value : trial) {
    value *= length > radius ? radius / length : 1.0;
  }
  return trial;
}

double distance(std::span<const double> a, std::span<const double> b) {
  std::vector<double> way(a.begin(), a.end());
  for (std::size_t i = 0; i < way.size(); ++i) {
    way[i] -= b[i];
  }
  return norm_of(way);
}

/// How clearly one of two values at different points is the higher: without bound where the points
/// are the same but for rounding in double precision, since nothing depends on the choice.
double clearance_of_choice(const PlainWalk& a, std::span<const double> point, double value,
                           double radius) {
  constexpr double kSamePoint = 1e-12;
  if (distance(a.point, point) <= kSamePoint * radius) {
    return std::numeric_limits<double>::infinity();
  }
  return std::abs(a.value - value) / std::fmax(1.0, std::abs(a.value));
}

}  // namespace

std::vector<double> ascent_start(const MethodOptions& options, std::size_t start,
                                 std::size_t inputs) {
  const RandomStream random(options.seed, kFirstStream + start);
  std::vector<double> point(inputs);
  for (std::size_t i = 0; i < inputs; ++i) {
    point[i] = random.normal(i);
  }
  const double scale = options.radius / norm_of(point);
  for (double& value : point) {
    value = static_cast<double>(static_cast<float>(scale * value));
  }
  return point;
}

PlainWalk plain_walk(const nn::Mlp<double>& network, std::size_t layer, std::size_t unit,
                     std::vector<double> start, const MethodOptions& options) {
  PlainValue at = plain_value(network, layer, unit, start);
  PlainWalk walk{std::move(start), at.value, at.kink};
  double share = 1.0;
  for (int k = 1; k <= options.steps; ++k) {
    std::vector<double> trial = plain_trial(walk.point, at.gradient, share, options.radius);
    PlainValue there = plain_value(network, layer, unit, trial);
    // Nothing follows the last step: its value is the larger of two, whichever that is.
    if (k < options.steps) {
      walk.clearance =
          std::fmin(walk.clearance, clearance_of_choice(walk, trial, there.value, options.radius));
    }
    const bool taken = there.value > walk.value;
    share = next_share(share, taken);
    if (taken) {
      at = std::move(there);
      walk.point = std::move(trial);
      walk.value = at.value;
      if (k < options.steps) {
        walk.clearance = std::fmin(walk.clearance, at.kink);
      }
    }
  }
  return walk;
}

PlainWalk plain_best_walk(const nn::Mlp<double>& network, std::size_t layer, std::size_t unit,
                          const MethodOptions& options) {
  PlainWalk best;
  for (int s = 0; s < options.starts; ++s) {
    PlainWalk walk = plain_walk(
        network, layer, unit,
        ascent_start(options, static_cast<std::size_t>(s), network.topology.inputs), options);
    if (s == 0) {
      best = std::move(walk);
      continue;
    }
    const double clearance = std::fmin(best.clearance, walk.clearance);
    if (walk.value > best.value) {
      best = std::move(walk);
    }
    best.clearance = clearance;
  }
  return best;
}

}  // namespace interpscale::methods::engine
