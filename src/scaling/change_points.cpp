// SPDX-License-Identifier: Apache-2.0
#include "interpscale/scaling/change_points.hpp"

#include <algorithm>
#include <cmath>

#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/scaling/observation.hpp"

namespace interpscale::scaling {
namespace {

struct Split {
  std::size_t index = 0;  ///< into the series; 0: none
  double statistic = 0;   ///< Q
};

/// Sums of |x - y| over pairs: inside the left part, inside the right part, across.
struct PairSums {
  double left = 0;
  double right = 0;
  double across = 0;

  /// Moves a value whose distances to the left and to the rest of the right sum to these.
  void move(double to_left, double to_right) {
    left += to_left;
    right -= to_right;
    across += to_right - to_left;
  }

  /// Q of parts of m and k values.
  [[nodiscard]] double statistic(double m, double k) const {
    const double inside = left / (m * (m - 1) / 2) + right / (k * (k - 1) / 2);
    return m * k / (m + k) * (2 * across / (m * k) - inside);
  }
};

double distances(std::span<const double> values, double from) {
  double sum = 0;
  for (const double value : values) {
    sum += std::abs(value - from);
  }
  return sum;
}

/// The best split of one segment, index relative to it.
Split best_split(std::span<const double> segment, std::size_t shortest) {
  const std::size_t length = segment.size();
  Split best;
  if (length < 2 * shortest) {
    return best;
  }
  PairSums sums;
  for (std::size_t i = 0; i < length; ++i) {
    sums.right += distances(segment.subspan(i + 1), segment[i]);
  }
  for (std::size_t i = 0; i + shortest < length; ++i) {
    sums.move(distances(segment.first(i), segment[i]),
              distances(segment.subspan(i + 1), segment[i]));
    const std::size_t left = i + 1;
    if (left < shortest) {
      continue;
    }
    const double statistic =
        sums.statistic(static_cast<double>(left), static_cast<double>(length - left));
    if (statistic > best.statistic) {
      best = {left, statistic};
    }
  }
  return best;
}

/// The best split over all segments between `bounds` (0 and the length included).
Split best_split(std::span<const double> series, const std::vector<std::size_t>& bounds,
                 std::size_t shortest) {
  Split best;
  for (std::size_t s = 0; s + 1 < bounds.size(); ++s) {
    const Split split = best_split(series.subspan(bounds[s], bounds[s + 1] - bounds[s]), shortest);
    if (split.statistic > best.statistic) {
      best = {bounds[s] + split.index, split.statistic};
    }
  }
  return best;
}

/// How often shuffling inside the segments does as well; (1 + hits) / (1 + permutations).
double permutation_p(std::span<const double> series, const std::vector<std::size_t>& bounds,
                     double statistic, const ChangePointOptions& options) {
  std::vector<double> shuffled(series.size());
  int hits = 0;
  for (int p = 0; p < options.permutations; ++p) {
    const std::uint64_t stream = 1000 * bounds.size() + static_cast<std::uint64_t>(p);
    for (std::size_t s = 0; s + 1 < bounds.size(); ++s) {
      const std::vector<std::size_t> order =
          RandomStream(options.seed + s, stream).permutation(bounds[s + 1] - bounds[s]);
      for (std::size_t i = 0; i < order.size(); ++i) {
        shuffled[bounds[s] + i] = series[bounds[s] + order[i]];
      }
    }
    hits += best_split(shuffled, bounds, options.shortest).statistic >= statistic ? 1 : 0;
  }
  return (1.0 + hits) / (1.0 + options.permutations);
}

double median_of(std::span<const double> values) {
  return median({values.begin(), values.end()});
}

}  // namespace

std::vector<ChangePoint> change_points(std::span<const double> series,
                                       const ChangePointOptions& options) {
  require(options.shortest >= 2 && options.permutations > 0,
          "segments of two values at least, and permutations to test with");
  std::vector<std::size_t> bounds{0, series.size()};
  std::vector<ChangePoint> points;
  for (;;) {
    const Split split = best_split(series, bounds, options.shortest);
    if (split.index == 0) {
      break;
    }
    const double p_value = permutation_p(series, bounds, split.statistic, options);
    if (p_value > options.significance) {
      break;
    }
    points.push_back({split.index, p_value, 0, 0});
    bounds.insert(std::upper_bound(bounds.begin(), bounds.end(), split.index), split.index);
  }
  std::sort(points.begin(), points.end(),
            [](const ChangePoint& a, const ChangePoint& b) { return a.index < b.index; });
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t index = points[i].index;
    points[i].before = median_of(series.subspan(bounds[i], index - bounds[i]));
    points[i].after = median_of(series.subspan(index, bounds[i + 2] - index));
  }
  return points;
}

}  // namespace interpscale::scaling
