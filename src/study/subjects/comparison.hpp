// A timed result held against a more exact one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "interpscale/core/matrix.hpp"
#include "interpscale/measure/timed.hpp"

namespace interpscale::study {

/// Work that a verification may spend on a reference in obvious loops: one or two tenths of a
/// second (0.5 to 1 GFLOP/s), of which a study spends hundreds.
inline constexpr double kReferenceFlops = 1e8;

struct Comparison {
  double deviation = 0;
  double allowed = 0;
};

/// The one that is nearer to its bound, or further beyond it.
[[nodiscard]] Comparison worse_of(const Comparison& a, const Comparison& b);

/// max |found - exact|; infinite if some value is not finite.
[[nodiscard]] double largest_deviation(MatrixView<const float> found,
                                       MatrixView<const double> exact);
[[nodiscard]] double largest_deviation(std::span<const float> found, std::span<const double> exact);
[[nodiscard]] double largest_magnitude(MatrixView<const double> values);
[[nodiscard]] double largest_magnitude(std::span<const double> values);

/// What rounding to single precision may add up to over `steps` sums of `length` products each,
/// whose results are as large as `scale`: factor * steps * sqrt(length) * u * scale. Rounding
/// errors behave like independent ones (Higham & Mary, "A new approach to probabilistic rounding
/// error analysis", SIAM J. Sci. Comput. 41, 2019), and partial sums are not larger than sums; the
/// factor of 16 leaves less than one in 10^15 values outside.
[[nodiscard]] double rounding_bound(std::size_t steps, std::size_t length, double scale);

/// How many of `batch` samples a reference may be asked for at this many FLOPs a sample: at
/// least 1.
[[nodiscard]] std::size_t affordable_samples(std::size_t batch, double flops_per_sample);

/// "5 of 128 samples", "all 128 samples".
[[nodiscard]] std::string describe_samples(std::size_t samples, std::size_t batch);

/// The verification, or an error where the deviation is beyond the bound (or not a number).
[[nodiscard]] Result<measure::Verification> verdict(std::string_view subject,
                                                    const Comparison& comparison,
                                                    std::string compared);

}  // namespace interpscale::study
