// What the kernels' tests share: backends, operands with poisoned padding, and comparison with the
// reference in double within a bound derived for each element.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/core/random.hpp"
#include "interpscale/core/workspace.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "support/catch.hpp"

namespace interpscale::kernels::testing {

template <class T>
using BackendPointer = std::unique_ptr<Backend<T>>;

/// Every backend of this build, `simd` once for each instruction set of this machine.
template <class T>
std::vector<BackendPointer<T>> all_backends() {
  std::vector<BackendPointer<T>> backends;
  for (const std::string& name : backend_names<T>()) {
    if (name != "simd") {
      backends.push_back(make_backend<T>(name).value());
      continue;
    }
    for (const std::string& target : simd_targets()) {
      backends.push_back(make_backend<T>(name, target).value());
    }
  }
  return backends;
}

inline const Backend<double>& reference() {
  static const BackendPointer<double> backend = make_backend<double>("reference").value();
  return *backend;
}

/// A matrix whose leading dimension is larger than its columns; what lies behind each row is NaN
/// and must stay so.
template <class T>
class Operand {
 public:
  Operand(std::size_t rows, std::size_t cols) : storage_(rows, cols + 3), cols_(cols) {
    for (T& value : storage_.padded()) {
      value = std::numeric_limits<T>::quiet_NaN();
    }
    for (std::size_t i = 0; i < rows; ++i) {
      for (T& value : view().row(i)) {
        value = T{0};
      }
    }
  }

  [[nodiscard]] MatrixView<T> view() {
    return {storage_.view().data(), storage_.rows(), cols_, storage_.leading_dimension()};
  }
  [[nodiscard]] MatrixView<const T> view() const {
    return {storage_.view().data(), storage_.rows(), cols_, storage_.leading_dimension()};
  }
  operator MatrixView<T>() { return view(); }
  operator MatrixView<const T>() const { return view(); }

  [[nodiscard]] bool padding_is_untouched() const {
    for (std::size_t i = 0; i < storage_.rows(); ++i) {
      for (std::size_t j = cols_; j < storage_.leading_dimension(); ++j) {
        if (!std::isnan(storage_.view().row_data(i)[j])) {
          return false;
        }
      }
    }
    return true;
  }

 private:
  Matrix<T> storage_;
  std::size_t cols_;
};

template <class T>
Operand<T> random_operand(std::size_t rows, std::size_t cols, std::uint64_t stream) {
  const RandomStream random(1, stream);
  Operand<T> operand(rows, cols);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      operand.view()(i, j) = static_cast<T>(random.normal(i * cols + j));
    }
  }
  return operand;
}

/// A third of whose elements are 0: ties.
template <class T>
Operand<T> with_ties(std::size_t rows, std::size_t cols, std::uint64_t stream) {
  Operand<T> a = random_operand<T>(rows, cols, stream);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = (2 * i) % 3; j < cols; j += 3) {
      a.view()(i, j) = T{0};
    }
  }
  return a;
}

template <class T>
Operand<double> in_double(const Operand<T>& operand) {
  Operand<double> converted(operand.view().rows(), operand.view().cols());
  copy(operand.view(), converted.view());
  return converted;
}

template <class T>
std::vector<T> random_vector(std::size_t count, std::uint64_t stream) {
  const RandomStream random(2, stream);
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<T>(random.normal(i));
  }
  return values;
}

template <class T>
std::vector<double> in_double(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

inline std::vector<std::uint32_t> random_indices(std::size_t count, std::size_t bound,
                                                 std::uint64_t stream) {
  const RandomStream random(3, stream);
  std::vector<std::uint32_t> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<std::uint32_t>(random.below(i, bound));
  }
  return values;
}

/// gamma_n = n u / (1 - n u), u half an epsilon: the relative error of n roundings (Higham,
/// Accuracy and Stability of Numerical Algorithms, section 3.1). Sums of n terms in any order stay
/// within gamma_n times the sum of magnitudes, with fused operations or without.
template <class T>
double gamma(std::size_t roundings) {
  const double u = static_cast<double>(std::numeric_limits<T>::epsilon()) / 2.0;
  const double n = static_cast<double>(roundings);
  return n * u / (1.0 - n * u);
}

/// The number of elements of `got` further from `wanted` than bound(i, j); NaN counts.
template <class T, class Bound>
std::size_t outside(MatrixView<const T> got, MatrixView<const double> wanted, const Bound& bound) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < got.rows(); ++i) {
    for (std::size_t j = 0; j < got.cols(); ++j) {
      const double error = std::abs(static_cast<double>(got(i, j)) - wanted(i, j));
      count += error <= bound(i, j) ? 0U : 1U;
    }
  }
  return count;
}

template <class T, class Bound>
std::size_t outside(const std::vector<T>& got, const std::vector<double>& wanted,
                    const Bound& bound) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    count += std::abs(static_cast<double>(got[i]) - wanted[i]) <= bound(i) ? 0U : 1U;
  }
  return count;
}

template <class T>
bool same_bits(MatrixView<const T> a, MatrixView<const T> b) {
  for (std::size_t i = 0; i < a.rows(); ++i) {
    for (std::size_t j = 0; j < a.cols(); ++j) {
      if (!(a(i, j) == b(i, j))) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace interpscale::kernels::testing
