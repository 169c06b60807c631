// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/match_neurons.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "interpscale/core/random.hpp"
#include "interpscale/core/require.hpp"
#include "interpscale/nn/passes.hpp"

namespace interpscale::modules {
namespace {

constexpr std::size_t kChunk = 1024;
/// Streams of the shuffles, beside those of initial values and of orders.
constexpr std::uint64_t kShuffleStream = std::uint64_t{1} << 46;

void standardise_columns(Matrix<float>& values) {
  const auto samples = static_cast<double>(values.rows());
  std::vector<double> mean(values.cols());
  std::vector<double> square(values.cols());
  for (std::size_t s = 0; s < values.rows(); ++s) {
    for (std::size_t j = 0; j < values.cols(); ++j) {
      mean[j] += static_cast<double>(values(s, j)) / samples;
    }
  }
  for (std::size_t s = 0; s < values.rows(); ++s) {
    for (std::size_t j = 0; j < values.cols(); ++j) {
      const double centred = static_cast<double>(values(s, j)) - mean[j];
      square[j] += centred * centred;
    }
  }
  for (std::size_t j = 0; j < values.cols(); ++j) {
    // A constant column's mean may differ from it by rounding.
    const double least = samples * std::pow(1e-7 * std::abs(mean[j]), 2);
    square[j] = square[j] > least ? 1 / std::sqrt(square[j]) : 0.0;
  }
  for (std::size_t s = 0; s < values.rows(); ++s) {
    for (std::size_t j = 0; j < values.cols(); ++j) {
      const double centred = static_cast<double>(values(s, j)) - mean[j];
      values(s, j) = static_cast<float>(centred * square[j]);
    }
  }
}

/// The column of each row that makes the sum of costs least; rows <= columns. The potentials u, v
/// keep every reduced cost at or above 0; index 0 stands for none.
std::vector<std::size_t> cheapest_columns(const Matrix<double>& cost) {
  const std::size_t rows = cost.rows();
  const std::size_t cols = cost.cols();
  std::vector<double> u(rows + 1);
  std::vector<double> v(cols + 1);
  std::vector<std::size_t> row_of(cols + 1);
  std::vector<std::size_t> previous(cols + 1);
  for (std::size_t added = 1; added <= rows; ++added) {
    row_of[0] = added;
    std::size_t column = 0;
    std::vector<double> distance(cols + 1, std::numeric_limits<double>::infinity());
    std::vector<bool> reached(cols + 1, false);
    do {
      reached[column] = true;
      const std::size_t row = row_of[column];
      double least = std::numeric_limits<double>::infinity();
      std::size_t next = 0;
      for (std::size_t j = 1; j <= cols; ++j) {
        if (reached[j]) {
          continue;
        }
        const double reduced = cost(row - 1, j - 1) - u[row] - v[j];
        if (reduced < distance[j]) {
          distance[j] = reduced;
          previous[j] = column;
        }
        if (distance[j] < least) {
          least = distance[j];
          next = j;
        }
      }
      for (std::size_t j = 0; j <= cols; ++j) {
        if (reached[j]) {
          u[row_of[j]] += least;
          v[j] -= least;
        } else {
          distance[j] -= least;
        }
      }
      column = next;
    } while (row_of[column] != 0);
    while (column != 0) {
      row_of[column] = row_of[previous[column]];
      column = previous[column];
    }
  }
  std::vector<std::size_t> chosen(rows);
  for (std::size_t j = 1; j <= cols; ++j) {
    if (row_of[j] != 0) {
      chosen[row_of[j] - 1] = j - 1;
    }
  }
  return chosen;
}

}  // namespace

Matrix<float> standardised_activations(const nn::Mlp<float>& network,
                                       MatrixView<const float> inputs,
                                       const kernels::Context<float>& context) {
  require(inputs.rows() > 1, "standardised activations: fewer than two samples");
  const std::size_t capacity = std::min(kChunk, inputs.rows());
  nn::Tape<float> tape(network.topology, capacity);
  Matrix<float> values(inputs.rows(), network.topology.neurons());
  for (std::size_t first = 0; first < inputs.rows(); first += capacity) {
    const std::size_t count = std::min(capacity, inputs.rows() - first);
    nn::forward<float>(network, inputs.rows_from(first, count), tape, context);
    std::size_t column = 0;
    for (std::size_t l = 0; l < network.topology.hidden.size(); ++l) {
      const std::size_t width = network.topology.hidden[l];
      copy(MatrixView<const float>(tape.activation(l)),
           values.view().rows_from(first, count).cols_from(column, width));
      column += width;
    }
  }
  standardise_columns(values);
  return values;
}

std::vector<bool> varying(MatrixView<const float> standardised) {
  std::vector<bool> result(standardised.cols(), false);
  for (std::size_t s = 0; s < standardised.rows(); ++s) {
    for (std::size_t j = 0; j < standardised.cols(); ++j) {
      result[j] = result[j] || standardised(s, j) != 0.0F;
    }
  }
  return result;
}

Matrix<float> absolute_correlations(MatrixView<const float> neurons, MatrixView<const float> known,
                                    const kernels::Context<float>& context) {
  Matrix<float> result(neurons.cols(), known.cols());
  context.backend.gemm(kernels::GemmCase::kTN, neurons, known, result, {}, context);
  for (float& value : result.padded()) {
    value = std::abs(value);
  }
  return result;
}

std::vector<float> best_of_many(MatrixView<const float> correlations) {
  std::vector<float> best;
  for (std::size_t i = 0; i < correlations.rows(); ++i) {
    best.push_back(*std::ranges::max_element(correlations.row(i)));
  }
  return best;
}

std::vector<float> best_one_to_one(MatrixView<const float> correlations) {
  const bool tall = correlations.rows() > correlations.cols();
  Matrix<double> cost(tall ? correlations.cols() : correlations.rows(),
                      tall ? correlations.rows() : correlations.cols());
  for (std::size_t i = 0; i < cost.rows(); ++i) {
    for (std::size_t j = 0; j < cost.cols(); ++j) {
      cost(i, j) = -static_cast<double>(tall ? correlations(j, i) : correlations(i, j));
    }
  }
  const std::vector<std::size_t> chosen = cheapest_columns(cost);
  std::vector<float> matched(correlations.rows());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const std::size_t row = tall ? chosen[i] : i;
    matched[row] = correlations(row, tall ? i : chosen[i]);
  }
  return matched;
}

double chance_level(MatrixView<const float> neurons, MatrixView<const float> known, double rate,
                    std::size_t shuffles, std::uint64_t seed,
                    const kernels::Context<float>& context) {
  require(rate > 0 && rate < 1 && shuffles > 0, "chance level: no rate or no shuffles");
  Matrix<float> shuffled(known.rows(), known.cols());
  std::vector<float> levels;
  for (std::size_t m = 0; m < shuffles; ++m) {
    const std::vector<std::size_t> order =
        RandomStream(seed, kShuffleStream + m).permutation(known.rows());
    for (std::size_t s = 0; s < known.rows(); ++s) {
      std::ranges::copy(known.row(order[s]), shuffled.row(s).begin());
    }
    const std::vector<float> best = best_of_many(absolute_correlations(neurons, shuffled, context));
    std::ranges::copy_if(best, std::back_inserter(levels), [](float r) { return r > 0; });
  }
  if (levels.empty()) {
    return 1;  // nothing varies, and nothing is explained
  }
  const auto index = static_cast<std::size_t>((1 - rate) * static_cast<double>(levels.size()));
  const auto at = levels.begin() + static_cast<std::ptrdiff_t>(std::min(index, levels.size() - 1));
  std::nth_element(levels.begin(), at, levels.end());
  return static_cast<double>(*at);
}

}  // namespace interpscale::modules
