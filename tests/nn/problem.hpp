// A random network with a batch and an answer to it, for tests of the passes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "interpscale/core/random.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/nn/loss.hpp"
#include "interpscale/nn/mlp.hpp"
#include "interpscale/nn/passes.hpp"

namespace interpscale::testing {

template <class T>
[[nodiscard]] std::unique_ptr<kernels::Backend<T>> backend(const std::string& name) {
  auto made = kernels::make_backend<T>(name);
  require(made.has_value(), "a backend that this build lists cannot be made");
  return std::move(*made);
}

template <class T>
[[nodiscard]] Matrix<T> normal_matrix(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  const RandomStream stream(seed, 1000);
  Matrix<T> matrix(rows, cols);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      matrix(i, j) = static_cast<T>(stream.normal(i * cols + j));
    }
  }
  return matrix;
}

template <class T>
struct Problem {
  nn::Mlp<T> network;
  Matrix<T> inputs;
  std::vector<std::uint32_t> labels;
  Matrix<T> values;

  [[nodiscard]] nn::Targets<T> targets() const { return {labels, values}; }
};

template <class T>
[[nodiscard]] Problem<T> random_problem(const nn::Topology& topology, std::size_t batch,
                                        std::uint64_t seed) {
  Problem<T> problem{
      nn::initialise_he<T>(topology, seed, 0.1), normal_matrix<T>(batch, topology.inputs, seed),
      std::vector<std::uint32_t>(batch), normal_matrix<T>(batch, topology.outputs, seed + 1)};
  const RandomStream stream(seed, 1001);
  for (std::size_t b = 0; b < batch; ++b) {
    problem.labels[b] = static_cast<std::uint32_t>(stream.below(b, topology.outputs));
  }
  return problem;
}

/// The largest absolute value.
template <class T>
[[nodiscard]] double largest(MatrixView<const T> matrix) {
  double result = 0.0;
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    for (const T value : matrix.row(i)) {
      result = std::max(result, std::abs(static_cast<double>(value)));
    }
  }
  return result;
}

/// The largest absolute difference of two matrices of the same shape.
template <class A, class B>
[[nodiscard]] double distance(MatrixView<A> a, MatrixView<B> b) {
  require(a.rows() == b.rows() && a.cols() == b.cols(), "distance: different shapes");
  double result = 0.0;
  for (std::size_t i = 0; i < a.rows(); ++i) {
    for (std::size_t j = 0; j < a.cols(); ++j) {
      const double difference =
          std::abs(static_cast<double>(a(i, j)) - static_cast<double>(b(i, j)));
      result = difference <= result ? result : difference;  // a NaN is the largest
    }
  }
  return result;
}

/// A bias as a matrix of one row.
template <class T>
[[nodiscard]] MatrixView<const T> as_row(const AlignedVector<T>& bias) {
  return {bias.data(), 1, bias.size(), bias.size()};
}

}  // namespace interpscale::testing
