// The network and the batch that analyses are compared on: half of the units active, and no unit so
// near to the kink of its ReLU that rounding decides its slope.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "interpscale/study/subjects.hpp"

namespace interpscale::bench::peers {

inline constexpr std::size_t kAnalysisInputs = 64;
inline constexpr std::size_t kAnalysisBatch = 128;
inline constexpr std::size_t kAnalysisSteps = 32;  ///< K, nodes of a path from zeros

struct AnalysisSpecimen {
  study::Specimen specimen;
  Matrix<float> donor;  ///< of a sample: the next one, [B, d]
  /// The smallest |z| of any hidden unit over samples and nodes, k/K and Gauss-Legendre's.
  double kink_distance = 0;
};

/// 64 inputs, three hidden layers of `width` ReLUs, ten classes; He's initial weights, biases that
/// have each unit active on half of 512 standard normal inputs; the batch are the 128 of 512 others
/// that stay farthest from a kink, in the order they were drawn. The same on any machine but for
/// rounding. Costs 66 forward passes of 512 samples.
[[nodiscard]] AnalysisSpecimen make_analysis_specimen(std::size_t width);

}  // namespace interpscale::bench::peers
