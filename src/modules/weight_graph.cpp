// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/weight_graph.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "interpscale/core/parallel.hpp"
#include "interpscale/core/require.hpp"

namespace interpscale::modules {
namespace {

/// One row of a weight matrix in both directions: the unit above receives the dot product with x,
/// the units below receive `above` times the row. Partial sums of a fixed number of lanes, so that
/// the compiler may use vectors without changing the order of additions.
double row_both_ways(std::span<const float> row, const double* x, double above, double* below) {
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> sums{};
  std::size_t j = 0;
  for (; j + kLanes <= row.size(); j += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const auto weight = static_cast<double>(row[j + lane]);
      sums[lane] += weight * x[j + lane];
      below[j + lane] += weight * above;
    }
  }
  double sum = 0;
  for (; j < row.size(); ++j) {
    const auto weight = static_cast<double>(row[j]);
    sum += weight * x[j];
    below[j] += weight * above;
  }
  for (const double lane : sums) {
    sum += lane;
  }
  return sum;
}

/// Union-find with path halving.
class Components {
 public:
  explicit Components(std::size_t count) : parents_(count) {
    for (std::size_t i = 0; i < count; ++i) {
      parents_[i] = i;
    }
  }
  std::size_t root(std::size_t i) {
    while (parents_[i] != i) {
      parents_[i] = parents_[parents_[i]];
      i = parents_[i];
    }
    return i;
  }
  /// The smaller root stays one, so that components are numbered by their first units.
  void join(std::size_t a, std::size_t b) {
    const std::size_t first = root(a);
    const std::size_t second = root(b);
    parents_[std::max(first, second)] = std::min(first, second);
  }

 private:
  std::vector<std::size_t> parents_;
};

}  // namespace

WeightGraph::WeightGraph(const nn::Mlp<float>& network) {
  first_ = {0, network.topology.inputs};
  for (const nn::DenseLayer<float>& layer : network.layers) {
    first_.push_back(first_.back() + layer.weights.rows());
    Matrix<float> absolute(layer.weights.rows(), layer.weights.cols());
    for (std::size_t i = 0; i < absolute.rows(); ++i) {
      for (std::size_t j = 0; j < absolute.cols(); ++j) {
        absolute(i, j) = std::abs(layer.weights(i, j));
      }
    }
    weights_.push_back(std::move(absolute));
  }
  degrees_.resize(units());
  const std::vector<double> ones(units(), 1.0);
  multiply(ones, degrees_, 1);
}

void WeightGraph::multiply(std::span<const double> x, std::span<double> product,
                           int threads) const {
  require(x.size() == units() && product.size() == units(), "graph product: not one value a unit");
  // What units receive from above and from below is kept apart: then no two matrices write to the
  // same place.
  std::vector<double> from_above(units(), 0.0);
  std::vector<double> from_below(units(), 0.0);
  parallel_for(threads, weights_.size(), [&](std::size_t l) {
    const MatrixView<const float> weights = weights_[l];
    for (std::size_t i = 0; i < weights.rows(); ++i) {
      const std::size_t unit = first_[l + 1] + i;
      from_below[unit] =
          row_both_ways(weights.row(i), x.data() + first_[l], x[unit], &from_above[first_[l]]);
    }
  });
  for (std::size_t u = 0; u < units(); ++u) {
    product[u] = from_below[u] + from_above[u];
  }
}

std::vector<std::size_t> WeightGraph::components() const {
  Components joined(units());
  for (std::size_t l = 0; l < weights_.size(); ++l) {
    const MatrixView<const float> weights = weights_[l];
    for (std::size_t i = 0; i < weights.rows(); ++i) {
      for (std::size_t j = 0; j < weights.cols(); ++j) {
        if (weights(i, j) > 0.0F) {
          joined.join(first_[l] + j, first_[l + 1] + i);
        }
      }
    }
  }
  std::vector<std::size_t> numbers(units());
  std::size_t count = 0;
  for (std::size_t u = 0; u < units(); ++u) {
    const std::size_t root = joined.root(u);
    numbers[u] = root == u ? count++ : numbers[root];
  }
  return numbers;
}

}  // namespace interpscale::modules
