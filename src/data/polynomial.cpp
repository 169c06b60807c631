// SPDX-License-Identifier: Apache-2.0
#include "interpscale/data/polynomial.hpp"

#include <array>
#include <bit>
#include <span>

#include "interpscale/core/random.hpp"

namespace interpscale::data {
namespace {

/// Streams of inputs, beside those of initial values and of orders.
constexpr std::uint64_t kInputStream = std::uint64_t{1} << 43;

std::array<float, kMonomials> monomials_at(float x, float y) {
  const std::array<float, 3> powers_x = {1.0F, x, x * x};
  const std::array<float, 3> powers_y = {1.0F, y, y * y};
  std::array<float, kMonomials> monomials{};
  for (std::size_t i = 0; i < powers_x.size(); ++i) {
    for (std::size_t j = 0; j < powers_y.size(); ++j) {
      monomials[3 * i + j] = powers_x[i] * powers_y[j];
    }
  }
  return monomials;
}

}  // namespace

Dataset polynomial_task(std::size_t samples, std::uint64_t seed, std::uint64_t stream) {
  const RandomStream normals(seed, kInputStream + stream);
  Dataset task;
  task.name = "polynomial";
  task.inputs = Matrix<float>(samples, 2);
  task.targets = Matrix<float>(samples, kPolynomials);
  for (std::size_t s = 0; s < samples; ++s) {
    const std::span<float> input = task.inputs.row(s);
    input[0] = static_cast<float>(normals.normal(2 * s));
    input[1] = static_cast<float>(normals.normal(2 * s + 1));
    const std::array<float, kMonomials> monomials = monomials_at(input[0], input[1]);
    const std::span<float> target = task.targets.row(s);
    target[0] = 0.0F;
    // A subset's sum from that of the subset without its lowest member.
    for (std::size_t subset = 1; subset < kPolynomials; ++subset) {
      target[subset] = target[subset & (subset - 1)] +
                       monomials[static_cast<std::size_t>(std::countr_zero(subset))];
    }
  }
  return task;
}

}  // namespace interpscale::data
