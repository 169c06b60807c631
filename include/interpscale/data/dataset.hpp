// Labelled examples in memory, and views of them for smaller problems.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "interpscale/core/matrix.hpp"
#include "interpscale/core/result.hpp"

namespace interpscale::data {

/// inputs [D, d]; either labels [D] in [0, classes) or targets [D, C].
struct Dataset {
  std::string name;
  Matrix<float> inputs;
  std::vector<std::uint32_t> labels;
  Matrix<float> targets;
  std::size_t classes = 0;
  std::size_t image_rows = 0;  ///< inputs are images of this size, row by row; 0: not images
  std::size_t image_cols = 0;
};

struct Split {
  Dataset train;
  Dataset test;
};

/// Mean and deviation of all inputs of the training half, applied to both: (x - mean) / deviation.
void standardise(Split& split);

/// Images averaged over blocks of factor x factor pixels: 28 x 28 becomes 14 x 14 (factor 2),
/// 7 x 7 (4), 4 x 4 (7). An error unless the factor divides both sides.
[[nodiscard]] Result<Dataset> pooled(const Dataset& images, std::size_t factor);

}  // namespace interpscale::data
