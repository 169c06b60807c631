// SPDX-License-Identifier: Apache-2.0
#include "interpscale/data/dataset.hpp"

#include <cmath>

#include "interpscale/core/require.hpp"

namespace interpscale::data {
namespace {

struct Moments {
  double mean;
  double deviation;
};

/// Two passes in double precision.
Moments moments(const Matrix<float>& inputs) {
  const auto count = static_cast<double>(inputs.rows()) * static_cast<double>(inputs.cols());
  double sum = 0.0;
  for (std::size_t i = 0; i < inputs.rows(); ++i) {
    for (const float value : inputs.row(i)) {
      sum += static_cast<double>(value);
    }
  }
  const double mean = sum / count;
  double squares = 0.0;
  for (std::size_t i = 0; i < inputs.rows(); ++i) {
    for (const float value : inputs.row(i)) {
      const double centred = static_cast<double>(value) - mean;
      squares += centred * centred;
    }
  }
  return {mean, std::sqrt(squares / count)};
}

void standardise_by(const Moments& by, Matrix<float>& inputs) {
  const double divisor = by.deviation > 0.0 ? by.deviation : 1.0;
  for (std::size_t i = 0; i < inputs.rows(); ++i) {
    for (float& value : inputs.row(i)) {
      value = static_cast<float>((static_cast<double>(value) - by.mean) / divisor);
    }
  }
}

}  // namespace

void standardise(Split& split) {
  require(!split.train.inputs.empty(), "standardise: the training half is empty");
  const Moments by = moments(split.train.inputs);
  standardise_by(by, split.train.inputs);
  standardise_by(by, split.test.inputs);
}

Result<Dataset> pooled(const Dataset& images, std::size_t factor) {
  require(images.inputs.cols() == images.image_rows * images.image_cols,
          "pooled: inputs are not images of the stated size");
  if (images.image_rows == 0) {
    return fail("data set '{}' holds no images, wanted images to pool", images.name);
  }
  if (factor == 0 || images.image_rows % factor != 0 || images.image_cols % factor != 0) {
    return fail("data set '{}': found images of {} x {} pixels, wanted sides that {} divides",
                images.name, images.image_rows, images.image_cols, factor);
  }
  Dataset result;
  result.name = images.name + "-pooled" + std::to_string(factor);
  result.labels = images.labels;
  result.targets = images.targets;
  result.classes = images.classes;
  result.image_rows = images.image_rows / factor;
  result.image_cols = images.image_cols / factor;
  result.inputs = Matrix<float>(images.inputs.rows(), result.image_rows * result.image_cols);
  const auto pixels = static_cast<float>(factor * factor);
  for (std::size_t image = 0; image < images.inputs.rows(); ++image) {
    const std::span<const float> from = images.inputs.row(image);
    const std::span<float> to = result.inputs.row(image);
    for (std::size_t pixel = 0; pixel < from.size(); ++pixel) {
      const std::size_t row = pixel / images.image_cols / factor;
      const std::size_t col = pixel % images.image_cols / factor;
      to[row * result.image_cols + col] += from[pixel];
    }
    for (float& value : to) {
      value /= pixels;
    }
  }
  return result;
}

}  // namespace interpscale::data
