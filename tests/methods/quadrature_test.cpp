// SPDX-License-Identifier: Apache-2.0
#include "methods/engine/quadrature.hpp"

#include <cmath>
#include <vector>

#include "interpscale/core/require.hpp"
#include "support/catch.hpp"

namespace interpscale::testing {
namespace {

struct Rule {
  explicit Rule(std::size_t nodes) : positions(nodes), weights(nodes) {
    methods::engine::gauss_legendre(positions, weights);
  }
  std::vector<double> positions;
  std::vector<double> weights;
};

TEST_CASE("gauss_legendre: small rules have their closed forms", "[methods][quadrature]") {
  const Rule one(1);
  CHECK(one.positions[0] == 0.5);
  CHECK(one.weights[0] == 1.0);
  const Rule two(2);
  CHECK(std::abs(two.positions[0] - (0.5 - 0.5 / std::sqrt(3.0))) <= 0x1p-53);
  CHECK(std::abs(two.weights[0] - 0.5) <= 0x1p-54);
  const Rule three(3);
  CHECK(std::abs(three.positions[2] - (0.5 + 0.5 * std::sqrt(0.6))) <= 0x1p-53);
  CHECK(three.positions[1] == 0.5);
  CHECK(std::abs(three.weights[0] - 5.0 / 18.0) <= 0x1p-54);
  CHECK(std::abs(three.weights[1] - 8.0 / 18.0) <= 0x1p-54);
}

TEST_CASE("gauss_legendre: K nodes integrate t^m exactly up to m = 2 K - 1",
          "[methods][quadrature]") {
  for (const std::size_t nodes : {1U, 2U, 3U, 4U, 5U, 8U, 17U, 32U, 33U, 100U}) {
    const Rule rule(nodes);
    for (std::size_t power = 0; power < 2 * nodes; ++power) {
      long double sum = 0.0L;
      for (std::size_t k = 0; k < nodes; ++k) {
        sum += static_cast<long double>(rule.weights[k]) *
               std::pow(static_cast<long double>(rule.positions[k]), power);
      }
      INFO(nodes << " nodes, power " << power);
      // Weights are rounded; a node's rounding moves t^m by m of it.
      const auto roundings = static_cast<double>(power + 2);
      CHECK(std::abs(static_cast<double>(sum * static_cast<long double>(power + 1) - 1.0L)) <=
            roundings * 0x1p-52);
    }
  }
}

TEST_CASE("gauss_legendre: nodes ascend within (0, 1), symmetric, with positive weights",
          "[methods][quadrature]") {
  for (const std::size_t nodes : {2U, 7U, 64U, 501U}) {
    const Rule rule(nodes);
    for (std::size_t k = 0; k < nodes; ++k) {
      CHECK(rule.weights[k] > 0.0);
      CHECK(rule.positions[k] > (k == 0 ? 0.0 : rule.positions[k - 1]));
      CHECK(rule.positions[k] < 1.0);
      CHECK(std::abs(rule.positions[k] + rule.positions[nodes - 1 - k] - 1.0) <= 0x1p-53);
      CHECK(rule.weights[k] == rule.weights[nodes - 1 - k]);
    }
  }
}

TEST_CASE("gauss_legendre: no nodes, or not as many weights, are a contract violation",
          "[methods][quadrature]") {
  std::vector<double> three(3);
  std::vector<double> two(2);
  CHECK_THROWS_AS(methods::engine::gauss_legendre({}, {}), ContractViolation);
  CHECK_THROWS_AS(methods::engine::gauss_legendre(three, two), ContractViolation);
  CHECK_THROWS_AS(methods::engine::path_steps({.steps = 0}), ContractViolation);
}

}  // namespace
}  // namespace interpscale::testing
