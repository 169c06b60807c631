// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/concept_coverage.hpp"

#include <algorithm>
#include <cmath>

#include "interpscale/core/require.hpp"

namespace interpscale::modules {
namespace {

/// A concept with less than this share of its variance left is a sum of the chosen ones: far above
/// the rounding of products in single precision, far below what is worth a concept.
constexpr double kNothingLeft = 1e-4;

/// Forward selection on the moments of one neuron: `gram` [c, c] of the concepts, `along` [c] of
/// the neuron with each. Both are what is left after the chosen concepts (pivoted Cholesky).
void select(Matrix<double> gram, std::vector<double> along, std::span<double> explained) {
  const std::size_t concepts = along.size();
  std::vector<bool> spent(concepts, false);
  double total = 0;
  for (double& share : explained) {
    std::size_t best = concepts;
    double gain = 0;
    for (std::size_t c = 0; c < concepts; ++c) {
      const double added =
          spent[c] || gram(c, c) < kNothingLeft ? 0.0 : along[c] * along[c] / gram(c, c);
      if (added > gain) {
        gain = added;
        best = c;
      }
    }
    if (best < concepts) {
      spent[best] = true;
      const double pivot = gram(best, best);
      const double moment = along[best];
      std::vector<double> row(gram.row(best).begin(), gram.row(best).end());
      for (std::size_t i = 0; i < concepts; ++i) {
        along[i] -= row[i] * moment / pivot;
        for (std::size_t j = 0; j < concepts; ++j) {
          gram(i, j) -= row[i] * row[j] / pivot;
        }
      }
      total += gain;
    }
    share = std::min(total, 1.0);
  }
}

}  // namespace

Matrix<double> explained_by_concepts(MatrixView<const float> neurons,
                                     MatrixView<const float> concepts, std::size_t k,
                                     const kernels::Context<float>& context) {
  require(k > 0 && k <= concepts.cols(), "concepts: k outside of 1 to the number of concepts");
  Matrix<float> products(neurons.cols(), concepts.cols());
  context.backend.gemm(kernels::GemmCase::kTN, neurons, concepts, products, {}, context);
  Matrix<float> squares(concepts.cols(), concepts.cols());
  context.backend.gemm(kernels::GemmCase::kTN, concepts, concepts, squares, {}, context);
  Matrix<double> gram(concepts.cols(), concepts.cols());
  copy(MatrixView<const float>(squares), gram.view());
  Matrix<double> result(neurons.cols(), k);
  for (std::size_t i = 0; i < neurons.cols(); ++i) {
    const std::span<const float> row = products.row(i);
    select(gram, std::vector<double>(row.begin(), row.end()), result.row(i));
  }
  return result;
}

Matrix<float> label_concepts(std::span<const std::uint32_t> labels, std::size_t classes) {
  Matrix<float> concepts(labels.size(), classes);
  std::vector<double> counts(classes);
  for (const std::uint32_t label : labels) {
    require(label < classes, "label concepts: a label beyond the classes");
    ++counts[label];
  }
  const auto samples = static_cast<double>(labels.size());
  for (std::size_t c = 0; c < classes; ++c) {
    const double mean = counts[c] / samples;
    const double length = std::sqrt(samples * mean * (1 - mean));
    for (std::size_t s = 0; s < labels.size() && length > 0; ++s) {
      concepts(s, c) = static_cast<float>(((labels[s] == c ? 1.0 : 0.0) - mean) / length);
    }
  }
  return concepts;
}

}  // namespace interpscale::modules
