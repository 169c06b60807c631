// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numeric>
#include <vector>

#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/modules/retrain.hpp"

namespace interpscale::modules {
namespace {

/// Streams of the permutations: one a round and module.
constexpr std::uint64_t kPermutationStream = std::uint64_t{1} << 47;

/// Errors less their column means, of length 1 over all samples and outputs; zeros stay zeros.
Matrix<double> normalised(MatrixView<const float> errors) {
  Matrix<double> result(errors.rows(), errors.cols());
  double squares = 0;
  for (std::size_t c = 0; c < errors.cols(); ++c) {
    double sum = 0;
    for (std::size_t s = 0; s < errors.rows(); ++s) {
      sum += static_cast<double>(errors(s, c));
    }
    const double mean = sum / static_cast<double>(errors.rows());
    for (std::size_t s = 0; s < errors.rows(); ++s) {
      result(s, c) = static_cast<double>(errors(s, c)) - mean;
      squares += result(s, c) * result(s, c);
    }
  }
  if (squares > 0) {
    const double scale = 1 / std::sqrt(squares);
    for (double& value : result.padded()) {
      value *= scale;
    }
  }
  return result;
}

double dot(const Matrix<double>& a, const std::vector<std::size_t>& order_a,
           const Matrix<double>& b, const std::vector<std::size_t>& order_b) {
  double sum = 0;
  for (std::size_t s = 0; s < a.rows(); ++s) {
    const std::span<const double> row_a = a.row(order_a[s]);
    const std::span<const double> row_b = b.row(order_b[s]);
    for (std::size_t c = 0; c < row_a.size(); ++c) {
      sum += row_a[c] * row_b[c];
    }
  }
  return sum;
}

struct PairSums {
  double sum = 0;
  double squares = 0;
};

PairSums over_pairs(const std::vector<Matrix<double>>& errors,
                    const std::vector<std::vector<std::size_t>>& orders) {
  PairSums sums;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double correlation = dot(errors[i], orders[i], errors[j], orders[j]);
      sums.sum += correlation;
      sums.squares += correlation * correlation;
    }
  }
  return sums;
}

}  // namespace

ErrorCorrelation correlate_errors(const std::vector<Matrix<float>>& errors,
                                  std::size_t permutations, std::uint64_t seed) {
  require(errors.size() >= 2 && errors.front().rows() >= 2 && permutations > 0,
          "error correlation: fewer than two modules or samples, or no permutations");
  const std::size_t samples = errors.front().rows();
  std::vector<Matrix<double>> vectors;
  for (const Matrix<float>& error : errors) {
    require(error.rows() == samples && error.cols() == errors.front().cols(),
            "error correlation: errors of different samples or outputs");
    vectors.push_back(normalised(error));
  }
  std::vector<std::size_t> in_order(samples);
  std::iota(in_order.begin(), in_order.end(), std::size_t{0});
  std::vector<std::vector<std::size_t>> orders(errors.size(), in_order);
  const PairSums found = over_pairs(vectors, orders);
  std::size_t as_large = 0;
  for (std::size_t m = 0; m < permutations; ++m) {
    for (std::size_t i = 1; i < errors.size(); ++i) {
      orders[i] =
          RandomStream(seed, kPermutationStream + m * errors.size() + i).permutation(samples);
    }
    as_large += over_pairs(vectors, orders).squares >= found.squares ? 1U : 0U;
  }
  const auto pairs = static_cast<double>(errors.size() * (errors.size() - 1) / 2);
  return {found.sum / pairs, std::sqrt(found.squares / pairs),
          (static_cast<double>(as_large) + 1) / (static_cast<double>(permutations) + 1)};
}

}  // namespace interpscale::modules
