// SPDX-License-Identifier: Apache-2.0
#include "study/expand_design.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace interpscale::study {
namespace {

/// Means and central second moments of the two predictors.
struct Moments {
  double count = 0;
  double mean_parameters = 0;
  double mean_neurons = 0;
  double parameters = 0;  // sum of squares
  double neurons = 0;
  double both = 0;
  [[nodiscard]] double determinant() const { return parameters * neurons - both * both; }
};

Moments moments_of(const std::vector<DesignPoint>& points, const std::vector<std::size_t>& kept) {
  Moments moments;
  moments.count = static_cast<double>(kept.size());
  for (const std::size_t i : kept) {
    moments.mean_parameters += points[i].log_parameters / moments.count;
    moments.mean_neurons += points[i].log_neurons / moments.count;
  }
  for (const std::size_t i : kept) {
    const double p = points[i].log_parameters - moments.mean_parameters;
    const double q = points[i].log_neurons - moments.mean_neurons;
    moments.parameters += p * p;
    moments.neurons += q * q;
    moments.both += p * q;
  }
  return moments;
}

/// Diagonal of the hat matrix of [1, log N, log n]: 1/m + x^T S^-1 x for centred x.
double leverage(const DesignPoint& point, const Moments& moments) {
  const double p = point.log_parameters - moments.mean_parameters;
  const double q = point.log_neurons - moments.mean_neurons;
  return 1 / moments.count +
         (p * p * moments.neurons - 2 * p * q * moments.both + q * q * moments.parameters) /
             moments.determinant();
}

bool exceeds(const std::vector<DesignPoint>& points, const std::vector<std::size_t>& kept,
             const DesignBounds& bounds) {
  double total = 0;
  for (const std::size_t i : kept) {
    total += points[i].seconds;
  }
  return (bounds.seconds > 0 && total > bounds.seconds) ||
         (bounds.most > 0 && kept.size() > bounds.most);
}

/// log10 of the largest N over the smallest.
double decades_of(const std::vector<DesignPoint>& points, const std::vector<std::size_t>& kept) {
  const auto fewer = [&](std::size_t a, std::size_t b) {
    return points[a].log_parameters < points[b].log_parameters;
  };
  const auto [low, high] = std::minmax_element(kept.begin(), kept.end(), fewer);
  return (points[*high].log_parameters - points[*low].log_parameters) / std::log(10.0);
}

std::ptrdiff_t family_members(const std::vector<DesignPoint>& points,
                              const std::vector<std::size_t>& kept) {
  return std::count_if(kept.begin(), kept.end(),
                       [&](std::size_t i) { return points[i].in_family; });
}

/// Whether a choice spans enough of N and has enough of the family, or as much as before.
bool keeps_ground(const std::vector<DesignPoint>& points, const std::vector<std::size_t>& before,
                  const std::vector<std::size_t>& after) {
  return decades_of(points, after) >= std::min(kFewestDecades, decades_of(points, before)) &&
         family_members(points, after) >= std::min(kFewestOfFamily, family_members(points, before));
}

std::vector<std::size_t> all_of(const std::vector<DesignPoint>& points) {
  std::vector<std::size_t> all(points.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

double variance_inflation_of(const std::vector<DesignPoint>& points,
                             const std::vector<std::size_t>& kept) {
  const Moments moments = moments_of(points, kept);
  if (kept.size() < 3 || !(moments.determinant() > 0)) {
    return std::numeric_limits<double>::infinity();
  }
  return moments.parameters * moments.neurons / moments.determinant();
}

}  // namespace

DesignPoint design_point(const nn::Topology& topology, double seconds, double slowdown) {
  return {std::log(static_cast<double>(topology.parameters())),
          std::log(static_cast<double>(topology.neurons())), seconds, slowdown, false};
}

std::vector<std::size_t> thinned(const std::vector<DesignPoint>& points,
                                 const DesignBounds& bounds) {
  std::vector<std::size_t> kept = all_of(points);
  while (kept.size() > bounds.fewest && exceeds(points, kept, bounds)) {
    const Moments moments = moments_of(points, kept);
    if (!(moments.determinant() > 0)) {
      break;
    }
    std::vector<std::size_t> by_price = kept;
    const auto cost_per_information = [&](std::size_t i) {
      const double left = std::max(1 - leverage(points[i], moments), 1e-12);
      return points[i].seconds / -std::log(left);
    };
    std::stable_sort(by_price.begin(), by_price.end(), [&](std::size_t a, std::size_t b) {
      return cost_per_information(a) > cost_per_information(b);
    });
    const auto worst = std::find_if(by_price.begin(), by_price.end(), [&](std::size_t i) {
      std::vector<std::size_t> others = kept;
      std::erase(others, i);
      return keeps_ground(points, kept, others);
    });
    if (worst == by_price.end()) {
      break;
    }
    std::erase(kept, *worst);
  }
  return kept;
}

std::vector<std::size_t> without_slow(const std::vector<DesignPoint>& points, std::size_t fewest) {
  std::vector<std::size_t> kept = all_of(points);
  std::vector<std::size_t> slowest_first = kept;
  std::stable_sort(slowest_first.begin(), slowest_first.end(), [&](std::size_t a, std::size_t b) {
    return points[a].slowdown > points[b].slowdown;
  });
  for (const std::size_t slow : slowest_first) {
    if (points[slow].slowdown <= kLargestSlowdown || kept.size() <= fewest) {
      break;
    }
    std::vector<std::size_t> others = kept;
    std::erase(others, slow);
    if (variance_inflation_of(points, others) <= kLargestDesignVif &&
        keeps_ground(points, kept, others)) {
      kept = std::move(others);
    }
  }
  return kept;
}

double variance_inflation(const std::vector<DesignPoint>& points) {
  return variance_inflation_of(points, all_of(points));
}

}  // namespace interpscale::study
