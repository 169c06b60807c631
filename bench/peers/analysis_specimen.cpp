// SPDX-License-Identifier: Apache-2.0
#include "bench/peers/analysis_specimen.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "interpscale/core/random.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/nn/passes.hpp"
#include "methods/engine/quadrature.hpp"
#include "study/networks.hpp"
#include "study/subjects/method_verification.hpp"

namespace interpscale::bench::peers {
namespace {

constexpr std::size_t kClasses = 10;
constexpr std::size_t kDepth = 3;
constexpr std::size_t kCandidates = 512;
constexpr std::uint64_t kSeed = 1;

// Streams of the seed beyond those of the network's layers.
enum : std::uint64_t { kCentring = kDepth + 1, kInputs, kLabels };

Matrix<float> normal_inputs(std::size_t rows, std::uint64_t stream) {
  const RandomStream random(kSeed, stream);
  Matrix<float> inputs(rows, kAnalysisInputs);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t k = 0; k < kAnalysisInputs; ++k) {
      inputs(i, k) = static_cast<float>(random.normal(i * kAnalysisInputs + k));
    }
  }
  return inputs;
}

/// Where any method's path looks: k/K for k = 0 ... K, and the nodes of the Gauss-Legendre rule.
std::vector<double> path_positions() {
  std::vector<double> positions(kAnalysisSteps);
  std::vector<double> weights(kAnalysisSteps);
  methods::engine::gauss_legendre(positions, weights);
  for (std::size_t k = 0; k <= kAnalysisSteps; ++k) {
    positions.push_back(static_cast<double>(k) / static_cast<double>(kAnalysisSteps));
  }
  return positions;
}

/// For each sample, the smallest |z| of any hidden unit at any node of its path from zeros.
std::vector<float> kink_distances(const nn::Mlp<float>& network, const Matrix<float>& inputs,
                                  const kernels::Context<float>& context) {
  std::vector<float> distances(inputs.rows(), std::numeric_limits<float>::infinity());
  nn::Tape<float> tape(network.topology, inputs.rows(), true);
  Matrix<float> point(inputs.rows(), inputs.cols());
  for (const double position : path_positions()) {
    for (std::size_t b = 0; b < inputs.rows(); ++b) {
      std::transform(inputs.row(b).begin(), inputs.row(b).end(), point.row(b).begin(),
                     [&](float x) { return static_cast<float>(position) * x; });
    }
    nn::forward<float>(network, point, tape, context);
    for (const Matrix<float>& z : tape.pre_activations) {
      for (std::size_t b = 0; b < inputs.rows(); ++b) {
        for (const float value : z.row(b)) {
          distances[b] = std::min(distances[b], std::abs(value));
        }
      }
    }
  }
  return distances;
}

/// The `count` samples of the largest distance, ascending.
std::vector<std::size_t> farthest(const std::vector<float>& distances, std::size_t count) {
  std::vector<std::size_t> samples(distances.size());
  std::iota(samples.begin(), samples.end(), std::size_t{0});
  std::stable_sort(samples.begin(), samples.end(),
                   [&](std::size_t a, std::size_t b) { return distances[a] > distances[b]; });
  samples.resize(count);
  std::sort(samples.begin(), samples.end());
  return samples;
}

}  // namespace

AnalysisSpecimen make_analysis_specimen(std::size_t width) {
  const nn::Topology topology{kAnalysisInputs, std::vector<std::size_t>(kDepth, width), kClasses,
                              kernels::Activation::kRelu};
  const auto backend = kernels::make_backend<float>("simd");
  require(backend.has_value(), "backend simd is always there");
  Workspace workspace;
  const kernels::Context<float> context(**backend, 1, workspace);
  nn::Mlp<float> network = nn::initialise_he<float>(topology, kSeed);
  study::centre_biases(normal_inputs(kCandidates, kCentring), context, network);
  const Matrix<float> candidates = normal_inputs(kCandidates, kInputs);
  const std::vector<float> distances = kink_distances(network, candidates, context);
  const RandomStream label_stream(kSeed, kLabels);
  Matrix<float> inputs(kAnalysisBatch, kAnalysisInputs);
  std::vector<std::uint32_t> labels;
  float least = std::numeric_limits<float>::infinity();
  for (const std::size_t sample : farthest(distances, kAnalysisBatch)) {
    std::copy(candidates.row(sample).begin(), candidates.row(sample).end(),
              inputs.row(labels.size()).begin());
    labels.push_back(static_cast<std::uint32_t>(label_stream.below(sample, kClasses)));
    least = std::min(least, distances[sample]);
  }
  Matrix<float> donor = study::donor_of(inputs);
  return {study::make_specimen(std::move(network), std::move(inputs), std::move(labels)),
          std::move(donor), static_cast<double>(least)};
}

}  // namespace interpscale::bench::peers
