// SPDX-License-Identifier: Apache-2.0
#include "interpscale/core/matrix.hpp"

#include <cstdint>
#include <limits>

#include "support/catch.hpp"

namespace interpscale {
namespace {

TEST_CASE("matrix: rows start on cache lines and begin as zeros", "[core][matrix]") {
  const Matrix<float> matrix(3, 5);
  CHECK(matrix.leading_dimension() == 16);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(reinterpret_cast<std::uintptr_t>(matrix.row(i).data()) % kCacheLineBytes == 0);
    for (const float value : matrix.row(i)) {
      CHECK(value == 0.0F);
    }
  }
}

TEST_CASE("matrix: views address blocks of their owner", "[core][matrix]") {
  Matrix<double> matrix(4, 6);
  matrix.view().rows_from(1, 2).cols_from(3, 2)(1, 0) = 7.0;
  CHECK(matrix(2, 3) == 7.0);
  CHECK_THROWS_AS(matrix.view().rows_from(3, 2), ContractViolation);
  CHECK_THROWS_AS(matrix.view().cols_from(7, 0), ContractViolation);
}

TEST_CASE("matrix: an absurd shape is a contract violation, not an allocation", "[core][matrix]") {
  CHECK_THROWS_AS(Matrix<float>(std::numeric_limits<std::size_t>::max() / 2, 64),
                  ContractViolation);
}

TEST_CASE("matrix: copy converts the scalar type", "[core][matrix]") {
  Matrix<double> source(2, 3);
  source(1, 2) = 0.5;
  Matrix<float> target(2, 3);
  copy(source.view(), target.view());
  CHECK(target(1, 2) == 0.5F);
}

}  // namespace
}  // namespace interpscale
