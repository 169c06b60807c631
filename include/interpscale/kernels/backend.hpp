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

/// A quotient in a slope's place: numerator / (denominator + epsilon sign denominator), the sign of
/// 0 taken as 1. All [rows, cols]; numerator and denominator may be the same.
template <class T>
struct Ratio {
  MatrixView<const T> numerator;
  MatrixView<const T> denominator;
  T epsilon;
};

/// Secants of phi between two points: (h - from_h) / (z - from_z), h = phi(z). Where
/// |z - from_z| < smallest, the slope of phi halfway instead. z and h [rows, cols]; from_z and
/// from_h the same, or [1, cols]: one row for all.
template <class T>
struct Secants {
  MatrixView<const T> z;
  MatrixView<const T> h;
  MatrixView<const T> from_z;
  MatrixView<const T> from_h;
  T smallest;
};

/// Rows and columns of the largest matrix that `invert_factor` takes.
inline constexpr std::size_t kLargestFactor = 32;

/// Walks through the units of a layer: walk r takes those of sample sample[r] in the order that row
/// order[r] of `orders` [T, units] has them. sample and order [walks].
struct Walks {
  MatrixView<const std::uint32_t> orders;
  std::span<const std::uint32_t> order;
  std::span<const std::uint32_t> sample;
};

/// Elements of a matrix: (row[r], column[r]). Both [rows].
struct Places {
  std::span<const std::uint32_t> row;
  std::span<const std::uint32_t> column;
};

/// Which elements of a matrix are listed.
enum class Listed { kAll, kPositive, kNonzero };

/// Elements of a matrix as `list_elements` finds them: where they stand, a number that their row
/// has, and a multiple of their value. All as long as the matrix has elements, or longer.
template <class T>
struct ElementList {
  std::span<std::uint32_t> row;
  std::span<std::uint32_t> column;
  std::span<std::uint32_t> tag;
  std::span<T> value;
};

/// A ReLU layer between two others, sample by sample: a unit is active where its number is
/// positive.
template <class T>
struct ActiveLayer {
  MatrixView<const T> below;    ///< activations that enter it [S, units below]
  MatrixView<const T> h;        ///< its own [S, units]
  MatrixView<const T> weights;  ///< [units, units below]
};

/// What is added up of a packed Jacobian: scale gains(s, j) times the row of unit j and sample s.
template <class T>
struct ActiveSum {
  MatrixView<const T> h;      ///< [S, units]
  MatrixView<const T> gains;  ///< [S, units], or empty for ones
  T scale;
  bool absolute;  ///< of each entry
};

/// Two layers' way from a pre-activation with one unit below it changed.
template <class T>
struct RestartedLayers {
  MatrixView<const T> z;        ///< pre-activations of the first [B, width]
  MatrixView<const T> columns;  ///< its weights, transposed [units below, width]
  MatrixView<const T> next;     ///< the second's weights, transposed [width, outputs]
  std::span<const T> bias;      ///< of the second [outputs]
  bool relu;                    ///< of the second; the first has one
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
  /// losses[b] := -sum_c targets(b, c) log softmax(logits(b, :))[c], where a row of targets sums to
  /// 1; magnitudes[b] := max_c |logits(b, c)|, by which a caller bounds what rounding did to it.
  /// logits, targets [B, C]; losses, magnitudes [B].
  virtual void soft_cross_entropy(MatrixView<const T> logits, MatrixView<const T> targets,
                                  std::span<T> losses, std::span<T> magnitudes,
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

  /// out := (next - now) * gradient; all [rows, cols], but now and gradient may be [1, cols]: one
  /// row for all; gradient may be empty, for ones. out may be next or gradient.
  virtual void multiply_change(MatrixView<const T> next, MatrixView<const T> now,
                               MatrixView<const T> gradient, MatrixView<T> out,
                               const Execution& with) const = 0;
  /// g := g * ratio, [rows, cols].
  virtual void multiply_by_ratio(const Ratio<T>& ratio, MatrixView<T> g,
                                 const Execution& with) const = 0;
  /// g := g * secants, [rows, cols].
  virtual void multiply_by_secants(Activation phi, const Secants<T>& secants, MatrixView<T> g,
                                   const Execution& with) const = 0;
  /// out(i, j) := factors[j] a(i, j); a and out [rows, cols], perhaps the same; factors [cols].
  virtual void scale_columns(std::span<const T> factors, MatrixView<const T> a, MatrixView<T> out,
                             const Execution& with) const = 0;

  /// out := a, both [rows, cols].
  virtual void copy(MatrixView<const T> a, MatrixView<T> out, const Execution& with) const = 0;
  /// out(r, :) := a(index[r], :); a [n, cols], out [rows, cols], index [rows].
  virtual void gather_rows(MatrixView<const T> a, std::span<const std::uint32_t> index,
                           MatrixView<T> out, const Execution& with) const = 0;
  /// out[r] := a(r, column[r]); a [rows, cols], column and out [rows].
  virtual void pick(MatrixView<const T> a, std::span<const std::uint32_t> column, std::span<T> out,
                    const Execution& with) const = 0;
  /// out(b, c) := on[c] where c = labels[b], else off[c]; labels [B], on and off [C], out [B, C].
  virtual void one_hot(std::span<const std::uint32_t> labels, std::span<const T> on,
                       std::span<const T> off, MatrixView<T> out, const Execution& with) const = 0;

  /// counts(c, j) := samples b with labels[b] = c and h(b, j) > 0, added to what is there if
  /// `accumulate`. h [B, units], labels [B] below C, counts [C, units]; exact below 2 / epsilon.
  virtual void count_positive(MatrixView<const T> h, std::span<const std::uint32_t> labels,
                              bool accumulate, MatrixView<T> counts,
                              const Execution& with) const = 0;
  /// out[j] := sum over c of p(1, c) log(p(1, c) / (p(1) p(c))) + p(0, c) log(p(0, c) / (p(0)
  /// p(c))), in nats, at least 0, from counts: active(c, j) of samples[c] samples of class c.
  /// active [C, units], samples [C], out [units].
  virtual void mutual_information(MatrixView<const T> active, std::span<const T> samples,
                                  std::span<T> out, const Execution& with) const = 0;

  /// The largest so far of every column: brings row i of a [rows, cols] in under number first + i.
  /// values and numbers [k, cols] hold k of them, the largest first, of equal ones the earlier;
  /// first = 0 begins anew (numbers 0 and values -infinity where there are no k yet). Numbers are
  /// exact below 2 / epsilon.
  virtual void update_largest(MatrixView<const T> a, std::size_t first, MatrixView<T> values,
                              MatrixView<T> numbers, const Execution& with) const = 0;
  /// kept := the k largest elements of every row of a (of equal ones those of the earlier columns)
  /// and zeros elsewhere; chosen := 1 or 0. All [rows, cols], cols exact in T; kept may be a.
  virtual void keep_largest(std::size_t k, MatrixView<const T> a, MatrixView<T> kept,
                            MatrixView<T> chosen, const Execution& with) const = 0;
  /// Rows of unit length in random directions: out(i, :) = v / norm(v), v[j] the normal number
  /// i cols + j of stream (seed, stream). The same for any T up to rounding. out [rows, cols].
  virtual void unit_rows(std::uint64_t seed, std::uint64_t stream, MatrixView<T> out,
                         const Execution& with) const = 0;

  /// inverse := L^-1 (zeros above the diagonal) of a = L L^T, computed in double precision; a, of
  /// which the lower triangle is read, and inverse [n, n], n <= kLargestFactor. A pivot that is not
  /// positive is a contract violation.
  virtual void invert_factor(MatrixView<const T> a, MatrixView<T> inverse,
                             const Execution& with) const = 0;

  /// unit(k, r) := the k-th unit u of walk r with h(sample, u) > 0 (with all, if not
  /// `positive_only`), value(k, r) := h(sample, u). h [B, units]; unit and value [units, walks],
  /// undefined behind a walk's last unit.
  virtual void list_units(MatrixView<const T> h, const Walks& walks, bool positive_only,
                          MatrixView<std::uint32_t> unit, MatrixView<T> value,
                          const Execution& with) const = 0;
  /// The elements of a [rows, cols], row after row in the order of the columns. list.tag:
  /// tags[row], list.value: factor a(row, column). Returns how many; the list is undefined behind
  /// them.
  virtual std::size_t list_elements(MatrixView<const T> a, Listed which,
                                    std::span<const std::uint32_t> tags, T factor,
                                    const ElementList<T>& list, const Execution& with) const = 0;
  /// out[r] := a(row[r], column[r]); out [rows].
  virtual void gather_elements(MatrixView<const T> a, const Places& places, std::span<T> out,
                               const Execution& with) const = 0;
  /// sums(row[r], column[r]) += after[r] - before[r], r by r; after and before [rows].
  virtual void add_changes(std::span<const T> after, std::span<const T> before,
                           const Places& places, MatrixView<double> sums,
                           const Execution& with) const = 0;

  // What an inactive ReLU passes on is zero, so that a sample's products go without its rows and
  // columns. A packed Jacobian [S units, inputs] holds the rows of sample s's active units, in
  // their order, from row s units on; what stands behind them is left alone.

  /// jacobian(s, j) := weights(j, :) factors(s, :), or weights(j, :) alone where factors is empty.
  /// h [S, units], weights [units, inputs], factors [S, inputs], jacobian packed.
  virtual void first_active_jacobian(MatrixView<const T> h, MatrixView<const T> weights,
                                     MatrixView<const T> factors, MatrixView<T> jacobian,
                                     const Execution& with) const = 0;
  /// jacobian(s, j) := sum over active p of weights(j, p) below(s, p); both packed.
  virtual void next_active_jacobian(const ActiveLayer<T>& layer, MatrixView<const T> below,
                                    MatrixView<T> jacobian, const Execution& with) const = 0;
  /// out(j, :) := out(j, :) + sum over samples s with j active, in their order, of what `sum` says
  /// of jacobian(s, j). out [units, inputs].
  virtual void accumulate_active_jacobian(const ActiveSum<T>& sum, MatrixView<const T> jacobian,
                                          MatrixView<T> out, const Execution& with) const = 0;
  /// out(r, :) := max(z(sample[r], :) + delta[r] columns(unit[r], :), 0) next + bias, and max(., 0)
  /// of it if relu: rank_one_rows with ReLU and a product behind it. Each product goes over the
  /// units that are active in z; those that become so are added one by one, and not counted.
  virtual void rank_one_products(const RestartedLayers<T>& layers, const SparseRows<T>& rows,
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
