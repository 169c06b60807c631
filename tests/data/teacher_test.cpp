// SPDX-License-Identifier: Apache-2.0
#include "interpscale/data/teacher.hpp"

#include <cmath>
#include <cstring>

#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/nn/passes.hpp"
#include "support/catch.hpp"

namespace interpscale::data {
namespace {

const nn::Topology kTopology{6, {20, 20}, 3, kernels::Activation::kRelu};

bool same_bits(const Matrix<float>& a, const Matrix<float>& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         std::memcmp(a.padded().data(), b.padded().data(), a.padded().size_bytes()) == 0;
}

TEST_CASE("teacher: a batch is a pure function of seed and index, on any threads", "[data]") {
  const TeacherStudent task(kTopology, 4);
  const TeacherStudent again(kTopology, 4);
  Batch a;
  Batch b;
  task.fill(17, 150, a);
  again.fill(3, 150, b);
  CHECK_FALSE(same_bits(a.inputs, b.inputs));
  again.fill(17, 150, b, 2);
  CHECK(same_bits(a.inputs, b.inputs));
  CHECK(same_bits(a.targets, b.targets));
  TeacherStudent(kTopology, 5).fill(17, 150, b);
  CHECK_FALSE(same_bits(a.inputs, b.inputs));
}

TEST_CASE("teacher: inputs are uniform on [-1, 1], targets have mean 0 and deviation 1", "[data]") {
  const TeacherStudent task(kTopology, 4);
  constexpr std::size_t kCount = 4096;
  Batch batch;
  task.fill(0, kCount, batch);
  double sum = 0.0;
  double squares = 0.0;
  for (std::size_t b = 0; b < kCount; ++b) {
    for (const float value : batch.inputs.row(b)) {
      REQUIRE(std::abs(value) <= 1.0F);
      sum += static_cast<double>(value);
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
  }
  const double values = 6.0 * kCount;
  CHECK(std::abs(sum / values) < 5.0 * std::sqrt(1.0 / 3.0 / values));
  CHECK(std::abs(squares / values - 1.0 / 3.0) < 5.0 * std::sqrt(4.0 / 45.0 / values));
  for (std::size_t c = 0; c < 3; ++c) {
    double mean = 0.0;
    double square = 0.0;
    for (std::size_t b = 0; b < kCount; ++b) {
      mean += static_cast<double>(batch.targets(b, c)) / kCount;
      square += static_cast<double>(batch.targets(b, c)) *
                static_cast<double>(batch.targets(b, c)) / kCount;
    }
    // Two samples of 4096, one fixing the moments: a mean deviates by sqrt(2 / 4096) = 0.022, a
    // variance by sqrt(2 (kurtosis - 1) / 4096) = 0.05 for a kurtosis of 6.
    CHECK(std::abs(mean) < 5.0 * 0.022);
    CHECK(std::abs(square - 1.0) < 5.0 * 0.05);
  }
}

TEST_CASE("teacher: targets are the network's outputs, shifted and scaled", "[data]") {
  const auto activation = GENERATE(kernels::Activation::kRelu, kernels::Activation::kSoftplus,
                                   kernels::Activation::kTanh);
  nn::Topology topology = kTopology;
  topology.activation = activation;
  const TeacherStudent task(topology, 4);
  Batch batch;
  task.fill(2, 100, batch);
  const auto reference = kernels::make_backend<float>("reference").value();
  Workspace workspace;
  const kernels::Context<float> context(*reference, 1, workspace);
  nn::Tape<float> tape(topology, 100);
  nn::forward<float>(task.teacher(), batch.inputs, tape, context);
  for (std::size_t c = 0; c < 3; ++c) {
    // From two examples far apart follow scale and shift; the others must agree, to a few hundred
    // roundings of outputs below 10.
    const auto target = [&](std::size_t b) { return static_cast<double>(batch.targets(b, c)); };
    const auto output = [&](std::size_t b) { return static_cast<double>(tape.output()(b, c)); };
    std::size_t low = 0;
    std::size_t high = 0;
    for (std::size_t b = 0; b < 100; ++b) {
      low = output(b) < output(low) ? b : low;
      high = output(b) > output(high) ? b : high;
    }
    const double scale = (target(high) - target(low)) / (output(high) - output(low));
    for (std::size_t b = 0; b < 100; ++b) {
      CHECK(std::abs(target(low) + scale * (output(b) - output(low)) - target(b)) < 1e-4);
    }
  }
}

}  // namespace
}  // namespace interpscale::data
