// The operations on packed Jacobians and restarted layers as obvious loops.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "interpscale/kernels/backend.hpp"

namespace interpscale::kernels::loops {

/// body(unit, number of active units before it) for every active unit of a row of h.
template <class T, class Body>
void for_active(std::span<const T> h, const Body& body) {
  std::size_t before = 0;
  for (std::size_t j = 0; j < h.size(); ++j) {
    if (h[j] > T{0}) {
      body(j, before++);
    }
  }
}

template <class T>
void first_active_jacobian(MatrixView<const T> h, MatrixView<const T> weights,
                           MatrixView<const T> factors, MatrixView<T> jacobian) {
  for (std::size_t s = 0; s < h.rows(); ++s) {
    for_active<T>(h.row(s), [&](std::size_t j, std::size_t before) {
      for (std::size_t i = 0; i < weights.cols(); ++i) {
        const T factor = factors.empty() ? T{1} : factors(s, i);
        jacobian(s * h.cols() + before, i) = weights(j, i) * factor;
      }
    });
  }
}

template <class T>
void next_active_jacobian(const ActiveLayer<T>& layer, MatrixView<const T> below,
                          MatrixView<T> jacobian) {
  for (std::size_t s = 0; s < layer.h.rows(); ++s) {
    for_active<T>(layer.h.row(s), [&](std::size_t j, std::size_t before) {
      const std::span<T> row = jacobian.row(s * layer.h.cols() + before);
      std::fill(row.begin(), row.end(), T{0});
      for_active<T>(layer.below.row(s), [&](std::size_t p, std::size_t before_p) {
        for (std::size_t i = 0; i < row.size(); ++i) {
          row[i] += layer.weights(j, p) * below(s * layer.below.cols() + before_p, i);
        }
      });
    });
  }
}

template <class T>
void accumulate_active_jacobian(const ActiveSum<T>& sum, MatrixView<const T> jacobian,
                                MatrixView<T> out) {
  for (std::size_t s = 0; s < sum.h.rows(); ++s) {
    for_active<T>(sum.h.row(s), [&](std::size_t j, std::size_t before) {
      const T factor = sum.scale * (sum.gains.empty() ? T{1} : sum.gains(s, j));
      for (std::size_t i = 0; i < out.cols(); ++i) {
        const T entry = factor * jacobian(s * sum.h.cols() + before, i);
        out(j, i) += sum.absolute ? std::abs(entry) : entry;
      }
    });
  }
}

template <class T>
void rank_one_products(const RestartedLayers<T>& layers, const SparseRows<T>& rows,
                       MatrixView<T> out) {
  for (std::size_t r = 0; r < out.rows(); ++r) {
    const std::span<T> row = out.row(r);
    std::fill(row.begin(), row.end(), T{0});
    for (std::size_t u = 0; u < layers.z.cols(); ++u) {
      const T value = std::max(
          layers.z(rows.sample[r], u) + rows.delta[r] * layers.columns(rows.unit[r], u), T{0});
      for (std::size_t c = 0; c < row.size(); ++c) {
        row[c] += value * layers.next(u, c);
      }
    }
    for (std::size_t c = 0; c < row.size(); ++c) {
      row[c] += layers.bias[c];
      row[c] = layers.relu ? std::max(row[c], T{0}) : row[c];
    }
  }
}

}  // namespace interpscale::kernels::loops
