// Every arithmetic the project times, behind one interface: `reference` (obvious loops), `eigen`,
// `simd` (Highway), `blas` where installed, and `counting`, which wraps another and adds up FLOPs.
//
// Rules for all of them: results do not depend on the number of threads (to the bit); outputs do
// not overlap inputs unless said so; shapes are checked (`require`); cost in FLOPs as in flops.hpp.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "interpscale/core/matrix.hpp"
#include "interpscale/core/workspace.hpp"
#include "interpscale/kernels/activation.hpp"
#include "interpscale/kernels/gemm.hpp"

namespace interpscale::kernels {

/// What a call may use: threads, and scratch memory for packing.
struct Execution {
  int threads;
  Workspace& workspace;
};

/// Column moments over the rows of a matrix, each [cols].
template <class T>
struct ColumnMoments {
  std::span<T> mean;
  std::span<T> variance;           ///< of the population: mean of (x - mean)^2
  std::span<T> positive_fraction;  ///< share of rows with x > 0
};

/// Stochastic gradient descent with momentum, after Polyak: v = mu v + g; w -= rate v.
template <class T>
struct SgdStep {
  T rate;
  T momentum;
};

/// Adam (Kingma & Ba 2015), bias-corrected, epsilon outside the square root:
/// w -= rate / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + epsilon).
template <class T>
struct AdamStep {
  T rate;
  T beta1;
  T beta2;
  T epsilon;
  std::uint64_t step;  ///< t, counted from 1
};

/// Rows of a suffix sweep: row r restarts sample sample[r] with unit unit[r] of the layer below
/// changed by delta[r]. All [rows].
template <class T>
struct SparseRows {
  std::span<const std::uint32_t> sample;
  std::span<const std::uint32_t> unit;
  std::span<const T> delta;
};

template <class T>
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  /// "reference", "eigen", "simd", ...
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// The instruction set in use, where the backend chooses one ("AVX3", "AVX2", ...); else "".
  [[nodiscard]] virtual std::string_view target() const = 0;

  /// c := epilogue(op(a) op(b)); see gemm.hpp for shapes. c may be the mask's matrix (each element
  /// of the mask is read before the element of c is written), never a or b.
  virtual void gemm(GemmCase which, MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> c,
                    const Epilogue<T>& epilogue, const Execution& with) const = 0;

  /// h := phi(z), both [rows, cols]. z and h may be the same.
  virtual void activate(Activation phi, MatrixView<const T> z, MatrixView<T> h,
                        const Execution& with) const = 0;
  /// g := g * phi'(h), the slope taken from the activation h; both [rows, cols].
  virtual void multiply_by_slope(Activation phi, MatrixView<const T> h, MatrixView<T> g,
                                 const Execution& with) const = 0;
  /// out := a * b element by element, all [rows, cols]; out may be a or b.
  virtual void multiply(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out,
                        const Execution& with) const = 0;
  /// out += (next - now) * gradient, all [rows, cols]: one step of a path integral over
  /// activations.
  virtual void accumulate_path_step(MatrixView<const T> next, MatrixView<const T> now,
                                    MatrixView<const T> gradient, MatrixView<T> out,
                                    const Execution& with) const = 0;
  /// out := from + t (to - from), all [rows, cols].
  virtual void interpolate(MatrixView<const T> from, MatrixView<const T> to, T t, MatrixView<T> out,
                           const Execution& with) const = 0;
  /// out[j] := beta out[j] + sum_i a(i, j); out is [cols]. Rows are added in their order.
  virtual void column_sums(MatrixView<const T> a, T beta, std::span<T> out,
                           const Execution& with) const = 0;
  /// Mean, variance and share of positive values of each column, in two passes.
  virtual void column_moments(MatrixView<const T> a, const ColumnMoments<T>& out,
                              const Execution& with) const = 0;

  /// losses[b] := -log softmax(logits(b, :))[labels[b]], computed against the row's maximum.
  /// logits [B, C], labels [B] in [0, C), losses [B].
  virtual void cross_entropy(MatrixView<const T> logits, std::span<const std::uint32_t> labels,
                             std::span<T> losses, const Execution& with) const = 0;
  /// The same, and gradient(b, c) := scale (softmax(logits(b, :))[c] - [c = labels[b]]).
  virtual void cross_entropy_gradient(MatrixView<const T> logits,
                                      std::span<const std::uint32_t> labels, T scale,
                                      std::span<T> losses, MatrixView<T> gradient,
                                      const Execution& with) const = 0;
  /// losses[b] := mean_c (p - t)^2; gradient(b, c) := scale 2 (p - t) / C. All [B, C].
  virtual void squared_error_gradient(MatrixView<const T> predictions, MatrixView<const T> targets,
                                      T scale, std::span<T> losses, MatrixView<T> gradient,
                                      const Execution& with) const = 0;

  /// weights, velocity updated from gradient, all [count].
  virtual void sgd_step(const SgdStep<T>& step, std::span<const T> gradient, std::span<T> velocity,
                        std::span<T> weights, const Execution& with) const = 0;
  /// weights, moments m and v updated from gradient, all [count].
  virtual void adam_step(const AdamStep<T>& step, std::span<const T> gradient, std::span<T> first,
                         std::span<T> second, std::span<T> weights,
                         const Execution& with) const = 0;

  /// out(r, :) := z(sample[r], :) + delta[r] columns(unit[r], :), then max(., 0) if relu: the
  /// pre-activations (or ReLU activations) of a layer after one unit below it has changed.
  /// z [B, width]; columns [units, width]: the layer's weights, transposed; out [rows, width].
  virtual void rank_one_rows(MatrixView<const T> z, MatrixView<const T> columns,
                             const SparseRows<T>& rows, bool relu, MatrixView<T> out,
                             const Execution& with) const = 0;
  /// out := a^T; a [rows, cols], out [cols, rows].
  virtual void transpose(MatrixView<const T> a, MatrixView<T> out, const Execution& with) const = 0;

  /// jacobian(j, s * inputs + i) *= slope phi'(h(s, j)): jacobian [units, S * inputs], h [S,
  /// units].
  virtual void scale_jacobian_rows(Activation phi, MatrixView<const T> h, std::size_t inputs,
                                   MatrixView<T> jacobian, const Execution& with) const = 0;
  /// jacobian(j, s * inputs + i) := phi'(h(s, j)) weights(j, i): a first layer's Jacobian.
  virtual void first_jacobian(Activation phi, MatrixView<const T> h, MatrixView<const T> weights,
                              MatrixView<T> jacobian, const Execution& with) const = 0;
  /// out(j, i) := out(j, i) + scale sum_s jacobian(j, s * inputs + i), or with the absolute value
  /// of each entry; out [units, inputs].
  virtual void accumulate_jacobian(MatrixView<const T> jacobian, T scale, bool absolute,
                                   MatrixView<T> out, const Execution& with) const = 0;
};

/// A backend, a number of threads and scratch memory: what every pass and method is handed.
template <class T>
struct Context : Execution {
  Context(const Backend<T>& backend_in, int threads_in, Workspace& workspace_in)
      : Execution{threads_in, workspace_in}, backend(backend_in) {}
  const Backend<T>& backend;
};

}  // namespace interpscale::kernels
