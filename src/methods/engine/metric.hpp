// What the effect of a change is measured on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "interpscale/core/matrix.hpp"
#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"
#include "interpscale/methods/probe.hpp"

namespace interpscale::methods::engine {

/// `metric`, or `fallback` where the options leave it to the method.
[[nodiscard]] inline Metric resolved(Metric metric, Metric fallback) {
  return metric == Metric::kMethodDefault ? fallback : metric;
}

/// values[r] := the loss of row r, or its target output. logits [rows, C], labels and values
/// [rows].
inline void measure_rows(Metric metric, MatrixView<const float> logits,
                         std::span<const std::uint32_t> labels, std::span<float> values,
                         const kernels::Context<float>& context) {
  if (metric == Metric::kLoss) {
    context.backend.cross_entropy(logits, labels, values, context);
    return;
  }
  context.backend.pick(logits, labels, values, context);
}

[[nodiscard]] inline kernels::Flops measure_rows_flops(Metric metric, std::uint64_t rows,
                                                       std::uint64_t classes) {
  return metric == Metric::kLoss ? kernels::cross_entropy_flops(rows, classes) : 0;
}

}  // namespace interpscale::methods::engine
