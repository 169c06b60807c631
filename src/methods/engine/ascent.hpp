// Projected gradient ascent of a neuron's pre-activation over inputs in a ball, many walks side by
// side: each has a point, the gradient there and a step length of its own, so that every step of
// all walks is one forward and one backward pass over their points.
//
// One step goes from x to P(x + s g / norm(g)), P the projection onto norm(x) <= r, with
// s = r t / (1 - t). It is taken if the value rises, and t doubles (to 1 at most); else the walk
// backtracks: it stays, and t is halved. t = 1, where walks begin, is the infinite step to
// r g / norm(g), the best point of all where the value is linear.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "interpscale/core/matrix.hpp"
#include "interpscale/kernels/backend.hpp"
#include "interpscale/kernels/flops.hpp"

namespace interpscale::methods::engine {

/// t after a step that was taken, or was not.
template <class T>
[[nodiscard]] T next_share(T share, bool taken) {
  return taken ? std::min(T{2} * share, T{1}) : share / T{2};
}

/// The state of walks side by side, and one step of all of them.
class Ascent {
 public:
  /// Scratch for `rows` walks in [rows, inputs]; `widest` of the sums that `dots` is asked for.
  Ascent(std::size_t rows, std::size_t inputs, std::size_t widest, double radius,
         const kernels::Context<float>& context);

  /// The next `rows` walks, at most as many as were asked for; their points are not set.
  void begin(std::size_t rows);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  /// Points and their gradients and values: of where the walks are, and of where they may go.
  [[nodiscard]] MatrixView<float> points() const { return points_.rows_from(0, rows_); }
  [[nodiscard]] MatrixView<float> gradients() const { return gradients_.rows_from(0, rows_); }
  [[nodiscard]] std::span<float> values() const { return values_.first(rows_); }
  [[nodiscard]] MatrixView<float> trials() const { return trials_.rows_from(0, rows_); }
  [[nodiscard]] MatrixView<float> trial_gradients() const { return fresh_.rows_from(0, rows_); }
  [[nodiscard]] std::span<float> trial_values() const { return trial_values_.first(rows_); }

  /// trials := one step from the points along their gradients.
  void propose();
  /// Moves the walks whose value rises to their trials, and their gradients unless it is the last
  /// step; adapts the steps.
  void decide(bool last);

  /// out[r] := sum_i a(r, i) b(r, i); a, b and the scratch `product` [rows, cols], cols <= widest.
  void dots(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> product,
            std::span<float> out) const;

  [[nodiscard]] static kernels::Flops propose_flops(std::size_t rows, std::size_t inputs);
  [[nodiscard]] static kernels::Flops dots_flops(std::size_t rows, std::size_t cols);
  [[nodiscard]] static std::uint64_t bytes(std::size_t rows, std::size_t inputs,
                                           std::size_t widest);

 private:
  const kernels::Context<float>& context_;
  float radius_;
  std::size_t rows_ = 0;
  MatrixView<float> points_;  // [rows + 1, d], the last row zero
  MatrixView<float> gradients_;
  MatrixView<float> trials_;
  MatrixView<float> fresh_;
  MatrixView<float> ones_;  // [1, widest or d]
  MatrixView<float> sums_;  // [rows, 1]
  std::span<float> values_;
  std::span<float> trial_values_;
  std::span<float> shares_;   // t
  std::span<float> factors_;  // of gradients, then of trials
  std::span<std::uint32_t> bases_;
  std::span<std::uint32_t> rows_of_;  // 0, 1, ...
};

/// Takes the walks, whose points are set, through `steps` steps. evaluate(points, values,
/// gradients) fills the values at the points, and the gradients unless that is an empty view; the
/// first of all is at_start.
template <class AtStart, class Evaluate>
void climb(Ascent& ascent, std::size_t steps, const AtStart& at_start, const Evaluate& evaluate) {
  at_start(ascent.points(), ascent.values(), ascent.gradients());
  for (std::size_t k = 1; k <= steps; ++k) {
    const bool last = k == steps;
    ascent.propose();
    evaluate(MatrixView<const float>(ascent.trials()), ascent.trial_values(),
             last ? MatrixView<float>() : ascent.trial_gradients());
    ascent.decide(last);
  }
}

}  // namespace interpscale::methods::engine
