// What rounding may do to a method's values: the bounds that tolerances and identities are made of.
// Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., chapters 3 and 4;
// N. J. Higham and T. Mary, "A new approach to probabilistic rounding error analysis", SIAM J. Sci.
// Comput. 41, 2019.
//
// A sum of k products carries a relative error of at most gamma_k = k u / (1 - k u) in terms of
// sum |w| |h|. That sum exceeds the value by the cancellation in it, about sqrt(k) for signed
// weights; the errors themselves, being of mixed sign, stay sqrt(k) below gamma_k (Higham and
// Mary). The two cancel: a layer adds gamma_k relative to the norm of its result, and the layers'
// errors add up along a chain of products. What is left is the ratio of norm(W) norm(h) to
// norm(W h), for which every bound carries `kConditioning`: the spectral norm of a square Gaussian
// matrix is twice its root mean square gain.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>

#include "interpscale/core/matrix.hpp"
#include "interpscale/nn/topology.hpp"

namespace interpscale::methods::engine {

/// Unit roundoff of float and of double.
inline constexpr double kFloatRoundoff = 0x1p-24;
inline constexpr double kDoubleRoundoff = 0x1p-53;
inline constexpr double kConditioning = 2.0;
/// Operations around a product: its bias, non-linearity (4 units in the last place) and slope.
inline constexpr std::size_t kAroundAProduct = 6;

/// k u / (1 - k u).
[[nodiscard]] inline double gamma(std::size_t k, double roundoff) {
  const double ku = static_cast<double>(k) * roundoff;
  return ku / (1.0 - ku);
}

/// Relative error of the activations and logits after all layers.
[[nodiscard]] inline double forward_rounding(const nn::Topology& topology, double roundoff) {
  double total = 0.0;
  for (std::size_t layer = 0; layer < topology.layers(); ++layer) {
    total += gamma(topology.fan_in(layer) + kAroundAProduct, roundoff);
  }
  return kConditioning * total;
}

/// Relative error of gradients of an output, down to the first hidden layer, and of slopes.
[[nodiscard]] inline double backward_rounding(const nn::Topology& topology, double roundoff) {
  double total = 0.0;
  for (std::size_t layer = 0; layer < topology.layers(); ++layer) {
    total += gamma(topology.fan_out(layer) + kAroundAProduct, roundoff);
  }
  return kConditioning * total;
}

/// The largest absolute value.
[[nodiscard]] inline double largest_magnitude(MatrixView<const double> values) {
  double largest = 0.0;
  for (std::size_t i = 0; i < values.rows(); ++i) {
    for (const double value : values.row(i)) {
      largest = std::fmax(largest, std::abs(value));
    }
  }
  return largest;
}

}  // namespace interpscale::methods::engine
