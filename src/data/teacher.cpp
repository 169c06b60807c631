// SPDX-License-Identifier: Apache-2.0
#include "interpscale/data/teacher.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "interpscale/core/parallel.hpp"
#include "interpscale/core/random.hpp"

namespace interpscale::data {
namespace {

/// Streams of the inputs, above those of the teacher's initial values.
constexpr std::uint64_t kInputStream = std::uint64_t{1} << 41;
/// The sample that fixes the outputs' mean and deviation: no batch of a stream.
constexpr std::uint64_t kMomentStream = std::uint64_t{1} << 42;
constexpr std::size_t kMomentSample = 4096;
constexpr double kBiasDeviation = 0.1;
/// Rows that share a pass over the weights.
constexpr std::size_t kBlock = 64;

void fill_uniform(const RandomStream& stream, std::size_t first_row, MatrixView<float> inputs) {
  std::uint64_t index = std::uint64_t{first_row} * inputs.cols();
  for (std::size_t b = 0; b < inputs.rows(); ++b) {
    for (float& value : inputs.row(b)) {
      value = static_cast<float>(2.0 * stream.uniform(index++) - 1.0);
    }
  }
}

float activated(kernels::Activation phi, float z) {
  switch (phi) {
    case kernels::Activation::kRelu:
      return std::max(z, 0.0F);
    case kernels::Activation::kSoftplus:
      return std::max(z, 0.0F) + std::log1p(std::exp(-std::abs(z)));
    case kernels::Activation::kTanh:
      break;
  }
  return std::tanh(z);
}

}  // namespace

TeacherStudent::TeacherStudent(const nn::Topology& teacher, std::uint64_t seed)
    : teacher_(nn::initialise_he<float>(teacher, seed, kBiasDeviation)),
      seed_(seed),
      mean_(teacher.outputs, 0.0F),
      deviation_(teacher.outputs, 1.0F) {
  for (const nn::DenseLayer<float>& layer : teacher_.layers) {
    Matrix<float> columns(layer.weights.cols(), layer.weights.rows());
    for (std::size_t i = 0; i < columns.rows(); ++i) {
      for (std::size_t j = 0; j < columns.cols(); ++j) {
        columns(i, j) = layer.weights(j, i);
      }
    }
    columns_.push_back(std::move(columns));
  }
  Matrix<float> inputs(kMomentSample, teacher.inputs);
  Matrix<float> outputs(kMomentSample, teacher.outputs);
  fill_uniform(RandomStream(seed, kMomentStream), 0, inputs);
  label(inputs, outputs);
  for (std::size_t c = 0; c < teacher.outputs; ++c) {
    double sum = 0.0;
    double squares = 0.0;
    for (std::size_t b = 0; b < kMomentSample; ++b) {
      sum += static_cast<double>(outputs(b, c));
    }
    const double mean = sum / static_cast<double>(kMomentSample);
    for (std::size_t b = 0; b < kMomentSample; ++b) {
      const double centred = static_cast<double>(outputs(b, c)) - mean;
      squares += centred * centred;
    }
    const double deviation = std::sqrt(squares / static_cast<double>(kMomentSample));
    mean_[c] = static_cast<float>(mean);
    deviation_[c] = deviation > 0.0 ? static_cast<float>(deviation) : 1.0F;
  }
}

void TeacherStudent::label(MatrixView<const float> inputs, MatrixView<float> targets) const {
  Matrix<float> below(inputs.rows(), inputs.cols());
  copy(inputs, below.view());
  for (std::size_t l = 0; l < columns_.size(); ++l) {
    const bool readout = l + 1 == columns_.size();
    Matrix<float> above(inputs.rows(), columns_[l].cols());
    for (std::size_t b = 0; b < inputs.rows(); ++b) {
      const std::span<float> z = above.row(b);
      std::ranges::copy(teacher_.layers[l].bias, z.begin());
      for (std::size_t i = 0; i < below.cols(); ++i) {
        const float factor = below(b, i);
        const float* column = columns_[l].row(i).data();
        for (std::size_t j = 0; j < z.size(); ++j) {
          z[j] += factor * column[j];
        }
      }
      if (!readout) {
        std::ranges::transform(z, z.begin(), [&](float value) {
          return activated(teacher_.topology.activation, value);
        });
      }
    }
    below = std::move(above);
  }
  for (std::size_t b = 0; b < targets.rows(); ++b) {
    for (std::size_t c = 0; c < targets.cols(); ++c) {
      targets(b, c) = (below(b, c) - mean_[c]) / deviation_[c];
    }
  }
}

void TeacherStudent::fill(std::uint64_t index, std::size_t batch, Batch& out, int threads) const {
  require(index < kInputStream, "teacher: batch index out of range");
  const nn::Topology& topology = teacher_.topology;
  if (out.inputs.rows() != batch || out.inputs.cols() != topology.inputs ||
      out.targets.rows() != batch || out.targets.cols() != topology.outputs) {
    out.inputs = Matrix<float>(batch, topology.inputs);
    out.targets = Matrix<float>(batch, topology.outputs);
    out.labels.clear();
  }
  const RandomStream stream(seed_, kInputStream + index);
  parallel_for(threads, (batch + kBlock - 1) / kBlock, [&](std::size_t block) {
    const std::size_t first = block * kBlock;
    const std::size_t rows = std::min(kBlock, batch - first);
    const MatrixView<float> inputs = out.inputs.view().rows_from(first, rows);
    fill_uniform(stream, first, inputs);
    label(inputs, out.targets.view().rows_from(first, rows));
  });
}

}  // namespace interpscale::data
