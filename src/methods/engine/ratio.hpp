// Gradients with a quotient in place of a slope: secants and shares of relevance.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "interpscale/core/matrix.hpp"
#include "interpscale/core/parallel.hpp"
#include "interpscale/core/require.hpp"

namespace interpscale::methods::engine {

/// numerator / denominator, element by element, all [rows, cols]. A denominator moves away from
/// zero by `epsilon` (0 counts as positive); where its magnitude is still below `smallest`,
/// `fallback` is taken instead (which may be empty where `smallest` is 0).
struct Ratio {
  MatrixView<const float> numerator;
  MatrixView<const float> denominator;
  MatrixView<const float> fallback = {};
  float epsilon = 0.0F;
  float smallest = 0.0F;
};

/// g := g * ratio, [rows, cols]. A few operations a unit and sample beside the products' hundreds:
/// bookkeeping, which no cost counts.
inline void multiply_by_ratio(const Ratio& ratio, MatrixView<float> g, int threads) {
  require(ratio.numerator.rows() == g.rows() && ratio.numerator.cols() == g.cols() &&
              ratio.denominator.rows() == g.rows() && ratio.denominator.cols() == g.cols(),
          "ratio: matrices of different shape");
  parallel_for(threads, g.rows(), [&](std::size_t i) {
    for (std::size_t j = 0; j < g.cols(); ++j) {
      const float raw = ratio.denominator(i, j);
      const float denominator = raw < 0.0F ? raw - ratio.epsilon : raw + ratio.epsilon;
      const float magnitude = denominator < 0.0F ? -denominator : denominator;
      g(i, j) *=
          magnitude < ratio.smallest ? ratio.fallback(i, j) : ratio.numerator(i, j) / denominator;
    }
  });
}

}  // namespace interpscale::methods::engine
