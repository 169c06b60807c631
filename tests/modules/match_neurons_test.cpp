// Neurons matched to neurons, and neurons explained by concepts.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/modules/match_neurons.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "interpscale/core/random.hpp"
#include "interpscale/data/fit.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/modules/concept_coverage.hpp"
#include "interpscale/modules/lesion.hpp"
#include "support/catch.hpp"

namespace interpscale::modules {
namespace {

/// Correlations are sums of D products of single precision: D roundings of terms whose absolute
/// values add up to 1 at most, and as many in the columns.
constexpr double kSamples = 1500;
constexpr double kRounding = 2 * kSamples * 6e-8;

struct Fixture {
  std::unique_ptr<kernels::Backend<float>> backend = *kernels::make_backend<float>("simd");
  Workspace workspace;
  Matrix<float> inputs{static_cast<std::size_t>(kSamples), 6};

  Fixture() {
    const RandomStream stream(21, 1);
    std::uint64_t index = 0;
    for (std::size_t s = 0; s < inputs.rows(); ++s) {
      for (float& value : inputs.row(s)) {
        value = static_cast<float>(stream.normal(index++));
      }
    }
  }
  [[nodiscard]] kernels::Context<float> context() { return {*backend, 1, workspace}; }
  [[nodiscard]] Matrix<float> units(const nn::Mlp<float>& network) {
    return standardised_activations(network, inputs, context());
  }
};

nn::Mlp<float> network_of(std::vector<std::size_t> hidden, std::uint64_t seed) {
  return nn::initialise_he<float>({.inputs = 6, .hidden = std::move(hidden), .outputs = 4}, seed,
                                  0.3);
}

double sum_of(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// By definition, in double precision: |correlation| of two columns.
double plain_correlation(const Matrix<float>& a, std::size_t i, const Matrix<float>& b,
                         std::size_t j) {
  double sum = 0;
  for (std::size_t s = 0; s < a.rows(); ++s) {
    sum += static_cast<double>(a(s, i)) * static_cast<double>(b(s, j));
  }
  return std::abs(sum);
}

}  // namespace

TEST_CASE("matching: a network with itself explains everything that varies", "[modules]") {
  Fixture fixture;
  nn::Mlp<float> network = network_of({9, 7}, 3);
  network.layers[0].bias[4] = -1e3F;  // never active
  const Matrix<float> units = fixture.units(network);
  const std::vector<bool> varies = varying(units);
  CHECK_FALSE(varies[4]);
  const Matrix<float> correlations = absolute_correlations(units, units, fixture.context());
  const std::vector<float> best = best_of_many(correlations);
  const std::vector<float> pairs = best_one_to_one(correlations);
  for (std::size_t i = 0; i < best.size(); ++i) {
    CHECK(best[i] == Approx(varies[i] ? 1.0 : 0.0).margin(kRounding));
    CHECK(pairs[i] == Approx(varies[i] ? 1.0 : 0.0).margin(kRounding));
    for (std::size_t j = 0; j < best.size(); ++j) {
      CHECK(static_cast<double>(correlations(i, j)) ==
            Approx(plain_correlation(units, i, units, j)).margin(kRounding));
    }
  }
}

TEST_CASE("matching: permuted and rescaled neurons are found again", "[modules]") {
  Fixture fixture;
  const nn::Mlp<float> network = network_of({9, 7}, 3);
  nn::Mlp<float> other = network;
  const std::vector<std::size_t> order = RandomStream(5, 5).permutation(9);
  for (std::size_t i = 0; i < 9; ++i) {
    const float factor = 0.5F + static_cast<float>(i);
    other.layers[0].bias[i] = factor * network.layers[0].bias[order[i]];
    for (std::size_t j = 0; j < 6; ++j) {
      other.layers[0].weights(i, j) = factor * network.layers[0].weights(order[i], j);
    }
    for (std::size_t k = 0; k < 7; ++k) {
      other.layers[1].weights(k, i) = network.layers[1].weights(k, order[i]) / factor;
    }
  }
  const Matrix<float> correlations =
      absolute_correlations(fixture.units(network), fixture.units(other), fixture.context());
  for (const std::vector<float>& matched :
       {best_of_many(correlations), best_one_to_one(correlations)}) {
    CHECK(*std::ranges::min_element(matched) == Approx(1.0).margin(2 * kRounding));
  }
}

TEST_CASE("matching: one to one is no better than best of many, and the best of all assignments",
          "[modules]") {
  const RandomStream stream(8, 2);
  for (const auto& [rows, cols] :
       {std::pair{4U, 4U}, std::pair{3U, 6U}, std::pair{6U, 3U}, std::pair{1U, 5U}}) {
    Matrix<float> values(rows, cols);
    std::uint64_t index = 100 * rows;
    for (std::size_t i = 0; i < rows; ++i) {
      for (float& value : values.row(i)) {
        value = static_cast<float>(stream.uniform(index++));
      }
    }
    const std::vector<float> best = best_of_many(values);
    const std::vector<float> pairs = best_one_to_one(values);
    for (std::size_t i = 0; i < rows; ++i) {
      CHECK(pairs[i] <= best[i]);
    }
    CHECK(std::ranges::count_if(pairs, [](float v) { return v > 0; }) == std::min(rows, cols));
    // Every order of the longer side, its first min(n, m) paired with the shorter side.
    std::vector<std::size_t> order(std::max(rows, cols));
    std::iota(order.begin(), order.end(), 0U);
    double largest = 0;
    do {
      double sum = 0;
      for (std::size_t i = 0; i < std::min(rows, cols); ++i) {
        sum += static_cast<double>(rows <= cols ? values(i, order[i]) : values(order[i], i));
      }
      largest = std::max(largest, sum);
    } while (std::ranges::next_permutation(order).found);
    CHECK(sum_of(pairs) == Approx(largest).margin(1e-6));
  }
}

TEST_CASE("matching: shuffled data explain the rate of chance", "[modules]") {
  Fixture fixture;
  const Matrix<float> neurons = fixture.units(network_of({40, 40}, 3));
  const Matrix<float> known = fixture.units(network_of({20, 20}, 4));
  constexpr double kRate = 0.1;
  constexpr std::size_t kShuffles = 20;
  const double level = chance_level(neurons, known, kRate, kShuffles, 1, fixture.context());
  // Other shuffles than those it is calibrated on: by another seed.
  const double above = [&] {
    double count = 0;
    for (std::uint64_t m = 0; m < kShuffles; ++m) {
      Matrix<float> shuffled(known.rows(), known.cols());
      const std::vector<std::size_t> order = RandomStream(77, m).permutation(known.rows());
      for (std::size_t s = 0; s < known.rows(); ++s) {
        std::ranges::copy(known.row(order[s]), shuffled.row(s).begin());
      }
      for (const float best :
           best_of_many(absolute_correlations(neurons, shuffled, fixture.context()))) {
        count += static_cast<double>(best) > level ? 1.0 : 0.0;
      }
    }
    return count / static_cast<double>(kShuffles * neurons.cols());
  }();
  // 1600 neurons, correlated among themselves: as good as 160 independent ones give a standard
  // error of 0.024, of either side.
  CHECK(above == Approx(kRate).margin(3 * 0.024 * std::sqrt(2.0)));
  // 40 known neurons: the level is a correlation of a few root-D-ths.
  CHECK(level > 2 / std::sqrt(kSamples));
  CHECK(level < 6 / std::sqrt(kSamples));
}

TEST_CASE("concepts: a network's own units explain it, one, two and all of them", "[modules]") {
  Fixture fixture;
  const Matrix<float> units = fixture.units(network_of({9, 7}, 3));
  const Matrix<double> own = explained_by_concepts(units, units, 2, fixture.context());
  for (std::size_t i = 0; i < units.cols(); ++i) {
    CHECK(own(i, 0) == Approx(1.0).margin(2 * kRounding));
    CHECK(own(i, 1) == Approx(1.0).margin(2 * kRounding));
  }
}

TEST_CASE("concepts: the best single one is the square of the best correlation, more explain more",
          "[modules]") {
  Fixture fixture;
  const Matrix<float> units = fixture.units(network_of({12, 10}, 3));
  const Matrix<float> known = fixture.units(network_of({5, 3}, 4));
  const Matrix<double> explained = explained_by_concepts(units, known, 8, fixture.context());
  const std::vector<float> best =
      best_of_many(absolute_correlations(units, known, fixture.context()));
  for (std::size_t i = 0; i < units.cols(); ++i) {
    CHECK(explained(i, 0) ==
          Approx(std::pow(static_cast<double>(best[i]), 2)).margin(4 * kRounding));
    CHECK(std::ranges::is_sorted(explained.row(i)));
    CHECK(explained(i, 7) <= 1.0);
  }
  CHECK_THROWS_AS(explained_by_concepts(units, known, 9, fixture.context()), ContractViolation);
}

TEST_CASE("concepts: a neuron that is a sum of two concepts takes exactly both", "[modules]") {
  Fixture fixture;
  const Matrix<float> known = fixture.units(network_of({6}, 4));
  // Two concepts and their sum, of length 1 once more.
  Matrix<float> neuron(known.rows(), 1);
  double squares = 0;
  for (std::size_t s = 0; s < known.rows(); ++s) {
    neuron(s, 0) = known(s, 1) - 0.7F * known(s, 4);
    squares += std::pow(static_cast<double>(neuron(s, 0)), 2);
  }
  for (std::size_t s = 0; s < known.rows(); ++s) {
    neuron(s, 0) = static_cast<float>(static_cast<double>(neuron(s, 0)) / std::sqrt(squares));
  }
  Matrix<float> both(known.rows(), 2);
  for (std::size_t s = 0; s < known.rows(); ++s) {
    both(s, 0) = known(s, 1);
    both(s, 1) = known(s, 4);
  }
  const Matrix<double> explained = explained_by_concepts(neuron, both, 2, fixture.context());
  CHECK(explained(0, 0) < 0.99);
  CHECK(explained(0, 1) == Approx(1.0).margin(10 * kRounding));
  CHECK(explained_by_concepts(neuron, known, 6, fixture.context())(0, 5) ==
        Approx(1.0).margin(10 * kRounding));
}

TEST_CASE("concepts: labels are standardised columns that add up to nothing new", "[modules]") {
  Fixture fixture;
  std::vector<std::uint32_t> labels(static_cast<std::size_t>(kSamples));
  for (std::size_t s = 0; s < labels.size(); ++s) {
    labels[s] = s % 7 == 0 ? 0 : static_cast<std::uint32_t>(1 + s % 2);
  }
  const Matrix<float> concepts = label_concepts(labels, 4);  // the class 3 never occurs
  for (std::size_t c = 0; c < 4; ++c) {
    double sum = 0;
    double squares = 0;
    for (std::size_t s = 0; s < labels.size(); ++s) {
      sum += static_cast<double>(concepts(s, c));
      squares += std::pow(static_cast<double>(concepts(s, c)), 2);
    }
    CHECK(sum == Approx(0.0).margin(kRounding));
    CHECK(squares == Approx(c == 3 ? 0.0 : 1.0).margin(kRounding));
  }
  // A neuron that is a class is explained by it, and of three classes two say all.
  const Matrix<double> explained = explained_by_concepts(concepts, concepts, 3, fixture.context());
  CHECK(explained(0, 0) == Approx(1.0).margin(kRounding));
  CHECK(explained(3, 2) == 0.0);
}

TEST_CASE("ablation: each neuron's effect is that of the network without its weights",
          "[modules]") {
  Fixture fixture;
  const nn::Mlp<float> network = network_of({9, 7, 5}, 3);
  data::Dataset dataset;
  dataset.inputs = fixture.inputs;
  dataset.classes = 4;
  for (std::size_t s = 0; s < dataset.inputs.rows(); ++s) {
    dataset.labels.push_back(static_cast<std::uint32_t>(s % 4));
  }
  const HiddenUnits units{{0, 3, 8}, {}, {1, 2}};
  const std::vector<double> effects = ablation_effects(network, units, dataset, fixture.context());
  REQUIRE(effects.size() == 5);
  const double whole = data::evaluate(network, dataset, fixture.context()).loss;
  std::size_t index = 0;
  for (std::size_t l = 0; l < 3; ++l) {
    for (const std::uint32_t unit : units[l]) {
      HiddenUnits alone(3);
      alone[l] = {unit};
      const double loss = data::evaluate(ablated(network, alone), dataset, fixture.context()).loss;
      // Losses of order one, in single precision: rounding of logits, a few times over.
      CHECK(effects[index++] == Approx(loss - whole).margin(1e-5));
    }
  }
  CHECK(ablation_effects(network, HiddenUnits(3), dataset, fixture.context()).empty());
}

}  // namespace interpscale::modules
