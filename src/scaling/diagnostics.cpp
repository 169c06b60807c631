// SPDX-License-Identifier: Apache-2.0
#include "scaling/diagnostics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "scaling/candidate_laws.hpp"

namespace interpscale::scaling {
namespace {

struct Cluster {
  double smallest_log_size;
  double sum_of_log_sizes;
  double sum_of_log_times;
  double cells;

  [[nodiscard]] double log_size() const { return sum_of_log_sizes / cells; }
  [[nodiscard]] double log_time() const { return sum_of_log_times / cells; }
};

}  // namespace

std::vector<LocalSlope> local_slopes(std::span<const double> sizes,
                                     std::span<const double> log_times) {
  constexpr double kNeighbours = 1.25;
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [sizes](std::size_t a, std::size_t b) { return sizes[a] < sizes[b]; });
  std::vector<Cluster> clusters;
  for (const std::size_t i : order) {
    const double log_size = std::log(sizes[i]);
    if (clusters.empty() || log_size - clusters.back().smallest_log_size >= std::log(kNeighbours)) {
      clusters.push_back({log_size, 0, 0, 0});
    }
    Cluster& cluster = clusters.back();
    cluster.sum_of_log_sizes += log_size;
    cluster.sum_of_log_times += log_times[i];
    cluster.cells += 1;
  }
  std::vector<LocalSlope> slopes;
  for (std::size_t k = 1; k < clusters.size(); ++k) {
    const Cluster& a = clusters[k - 1];
    const Cluster& b = clusters[k];
    slopes.push_back({std::exp(a.log_size()), std::exp(b.log_size()),
                      (b.log_time() - a.log_time()) / (b.log_size() - a.log_size())});
  }
  return slopes;
}

double leave_largest_out_error(std::span<const double> sizes, std::span<const double> log_times) {
  const double largest = *std::max_element(sizes.begin(), sizes.end());
  std::vector<double> kept_sizes;
  std::vector<double> kept_log_times;
  double sum_at_largest = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < largest) {
      kept_sizes.push_back(sizes[i]);
      kept_log_times.push_back(log_times[i]);
    } else {
      sum_at_largest += log_times[i];
    }
  }
  const CandidateLaws laws(kept_sizes);
  const auto cells_at_largest = static_cast<double>(sizes.size() - kept_sizes.size());
  return sum_at_largest / cells_at_largest -
         laws.log_time(laws.fit(kept_log_times).front(), largest);
}

}  // namespace interpscale::scaling
