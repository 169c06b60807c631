// SPDX-License-Identifier: Apache-2.0
#include "study/subjects/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace interpscale::study {

Comparison worse_of(const Comparison& a, const Comparison& b) {
  if (!(a.deviation <= a.allowed) || !(b.deviation <= b.allowed)) {
    return a.deviation <= a.allowed ? b : a;
  }
  // Cross-multiplied, so that a bound of zero needs no case of its own.
  return a.deviation * b.allowed > b.deviation * a.allowed ? a : b;
}

double largest_deviation(std::span<const float> found, std::span<const double> exact) {
  require(found.size() == exact.size(), "comparison of different lengths");
  double largest = 0.0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double deviation = std::abs(static_cast<double>(found[i]) - exact[i]);
    if (!std::isfinite(deviation)) {
      return std::numeric_limits<double>::infinity();
    }
    largest = std::max(largest, deviation);
  }
  return largest;
}

double largest_deviation(MatrixView<const float> found, MatrixView<const double> exact) {
  require(found.rows() == exact.rows(), "comparison of different shapes");
  double largest = 0.0;
  for (std::size_t i = 0; i < found.rows(); ++i) {
    largest = std::max(largest, largest_deviation(found.row(i), exact.row(i)));
  }
  return largest;
}

double largest_magnitude(std::span<const double> values) {
  double largest = 0.0;
  for (const double value : values) {
    largest = std::max(largest, std::abs(value));
  }
  return largest;
}

double largest_magnitude(MatrixView<const double> values) {
  double largest = 0.0;
  for (std::size_t i = 0; i < values.rows(); ++i) {
    largest = std::max(largest, largest_magnitude(values.row(i)));
  }
  return largest;
}

double rounding_bound(std::size_t steps, std::size_t length, double scale) {
  constexpr double kUnitRoundoff = 0.5 * static_cast<double>(std::numeric_limits<float>::epsilon());
  constexpr double kFactor = 16.0;
  return kFactor * static_cast<double>(steps) * std::sqrt(static_cast<double>(length)) *
         kUnitRoundoff * scale;
}

std::size_t affordable_samples(std::size_t batch, double flops_per_sample) {
  const double affordable = kReferenceFlops / std::max(flops_per_sample, 1.0);
  return static_cast<std::size_t>(std::clamp(affordable, 1.0, static_cast<double>(batch)));
}

std::string describe_samples(std::size_t samples, std::size_t batch) {
  return samples == batch ? fmt::format("all {} samples", batch)
                          : fmt::format("{} of {} samples", samples, batch);
}

Result<measure::Verification> verdict(std::string_view subject, const Comparison& comparison,
                                      std::string compared) {
  if (!(comparison.deviation <= comparison.allowed)) {
    return fail("{}: deviates by {:.3g}, allowed {:.3g}; compared with {}", subject,
                comparison.deviation, comparison.allowed, compared);
  }
  return measure::Verification{comparison.deviation, comparison.allowed, std::move(compared)};
}

}  // namespace interpscale::study
