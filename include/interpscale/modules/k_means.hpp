// k-means with restarts, every draw from a counter-based stream.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "interpscale/core/matrix.hpp"

namespace interpscale::modules {

struct KMeansOptions {
  std::size_t clusters = 2;
  std::size_t restarts = 25;
  std::size_t iterations = 300;  ///< of Lloyd's algorithm, at most
  std::uint64_t seed = 1;
};

struct KMeansResult {
  std::vector<std::uint32_t> cluster;  ///< of each row
  double inertia = 0;                  ///< sum of squared distances to the rows' centres
};

/// Lloyd's algorithm from k-means++ seeds (Arthur & Vassilvitskii 2007), the restart with the
/// least inertia (ties: the first). points [rows, dimensions], rows >= clusters >= 1. A cluster
/// that runs empty is given the point that is farthest from its centre. A few passes of
/// 3 rows clusters dimensions FLOPs a restart.
[[nodiscard]] KMeansResult k_means(MatrixView<const double> points, const KMeansOptions& options);

}  // namespace interpscale::modules
