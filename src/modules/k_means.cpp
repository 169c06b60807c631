// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/k_means.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"

namespace interpscale::modules {
namespace {

/// Streams of the restarts' draws.
constexpr std::uint64_t kSeedingStream = std::uint64_t{1} << 44;

double squared_distance(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t d = 0; d < a.size(); ++d) {
    sum += (a[d] - b[d]) * (a[d] - b[d]);
  }
  return sum;
}

/// A row, with probability in proportion to its weight; any row where all weights are 0.
std::size_t drawn(const std::vector<double>& weights, double uniform) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  double left = uniform * total;
  std::size_t last = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) {
      last = i;
      if (left < weights[i]) {
        return i;
      }
      left -= weights[i];
    }
  }
  return last;
}

/// k-means++: each centre is drawn in proportion to the squared distance from the nearest so far.
Matrix<double> seeded_centres(MatrixView<const double> points, std::size_t clusters,
                              const RandomStream& stream) {
  Matrix<double> centres(clusters, points.cols());
  std::vector<double> nearest(points.rows(), std::numeric_limits<double>::infinity());
  std::size_t chosen = stream.below(0, points.rows());
  for (std::size_t c = 0; c < clusters; ++c) {
    if (c > 0) {
      chosen = drawn(nearest, stream.uniform(c));
    }
    std::ranges::copy(points.row(chosen), centres.row(c).begin());
    for (std::size_t i = 0; i < points.rows(); ++i) {
      nearest[i] = std::min(nearest[i], squared_distance(points.row(i), centres.row(c)));
    }
  }
  return centres;
}

/// One run of Lloyd's algorithm.
class Lloyd {
 public:
  Lloyd(MatrixView<const double> points, Matrix<double> centres)
      : points_(points),
        centres_(std::move(centres)),
        cluster_(points.rows(), static_cast<std::uint32_t>(centres_.rows())),
        distance_(points.rows(), 0.0),
        sizes_(centres_.rows(), 0) {}

  KMeansResult run(std::size_t iterations) {
    for (std::size_t i = 0; i < iterations && assign(); ++i) {
      refill_empty();
      move_centres();
    }
    return {cluster_, std::accumulate(distance_.begin(), distance_.end(), 0.0)};
  }

 private:
  /// Each point to its nearest centre (ties: the first); true if any has moved.
  bool assign() {
    bool moved = false;
    for (std::size_t i = 0; i < points_.rows(); ++i) {
      std::uint32_t best = 0;
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t c = 0; c < centres_.rows(); ++c) {
        const double distance = squared_distance(points_.row(i), centres_.row(c));
        if (distance < least) {
          least = distance;
          best = static_cast<std::uint32_t>(c);
        }
      }
      moved = moved || best != cluster_[i];
      cluster_[i] = best;
      distance_[i] = least;
    }
    return moved;
  }

  void refill_empty() {
    std::ranges::fill(sizes_, 0);
    for (const std::uint32_t c : cluster_) {
      ++sizes_[c];
    }
    for (std::size_t c = 0; c < sizes_.size(); ++c) {
      if (sizes_[c] > 0) {
        continue;
      }
      std::size_t farthest = points_.rows();
      for (std::size_t i = 0; i < points_.rows(); ++i) {
        if (sizes_[cluster_[i]] > 1 &&
            (farthest == points_.rows() || distance_[i] > distance_[farthest])) {
          farthest = i;
        }
      }
      --sizes_[cluster_[farthest]];
      cluster_[farthest] = static_cast<std::uint32_t>(c);
      distance_[farthest] = 0;
      sizes_[c] = 1;
    }
  }

  void move_centres() {
    for (std::size_t c = 0; c < centres_.rows(); ++c) {
      std::ranges::fill(centres_.row(c), 0.0);
    }
    for (std::size_t i = 0; i < points_.rows(); ++i) {
      const std::span<double> centre = centres_.row(cluster_[i]);
      for (std::size_t d = 0; d < centre.size(); ++d) {
        centre[d] += points_(i, d);
      }
    }
    for (std::size_t c = 0; c < centres_.rows(); ++c) {
      for (double& value : centres_.row(c)) {
        value /= static_cast<double>(sizes_[c]);
      }
    }
  }

  MatrixView<const double> points_;
  Matrix<double> centres_;
  std::vector<std::uint32_t> cluster_;
  std::vector<double> distance_;
  std::vector<std::size_t> sizes_;
};

}  // namespace

KMeansResult k_means(MatrixView<const double> points, const KMeansOptions& options) {
  require(options.clusters > 0 && options.clusters <= points.rows(),
          "k-means: more clusters than points, or none");
  require(options.restarts > 0 && options.iterations > 0, "k-means: no restarts or no iterations");
  KMeansResult best;
  for (std::size_t r = 0; r < options.restarts; ++r) {
    const RandomStream stream(options.seed, kSeedingStream + r);
    KMeansResult found =
        Lloyd(points, seeded_centres(points, options.clusters, stream)).run(options.iterations);
    if (r == 0 || found.inertia < best.inertia) {
      best = std::move(found);
    }
  }
  return best;
}

}  // namespace interpscale::modules
