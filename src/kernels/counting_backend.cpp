// SPDX-License-Identifier: Apache-2.0
#include "interpscale/kernels/counting_backend.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

namespace interpscale::kernels {
namespace {

template <class T>
Operand operand(MatrixView<T> a) {
  const std::size_t before_last = a.rows() == 0 ? 0 : (a.rows() - 1) * a.leading_dimension();
  return {a.data(), (before_last + a.cols()) * sizeof(T)};
}
template <class T>
Operand operand(std::span<T> a) {
  return {a.data(), a.size_bytes()};
}

std::string_view name_of(Listed which) {
  switch (which) {
    case Listed::kPositive:
      return "positive";
    case Listed::kNonzero:
      return "nonzero";
    case Listed::kAll:
      break;
  }
  return "";
}

/// "nt+bias+relu": what is fused into the product.
template <class T>
std::string variant_of(GemmCase which, const Epilogue<T>& epilogue) {
  std::string variant(name_of(which));
  const std::pair<bool, const char*> fused[] = {{epilogue.alpha != T{1}, "+alpha"},
                                                {epilogue.beta != T{0}, "+beta"},
                                                {!epilogue.bias.empty(), "+bias"},
                                                {epilogue.relu, "+relu"},
                                                {!epilogue.mask.empty(), "+mask"}};
  for (const auto& [present, name] : fused) {
    variant += present ? name : "";
  }
  return variant;
}

template <class T>
class Counting final : public CountingBackend<T> {
 public:
  Counting(const Backend<T>& inner, CallRecorder* recorder, CountObserver observer)
      : inner_(inner), recorder_(recorder), observer_(std::move(observer)) {}

  [[nodiscard]] Flops flops() const override { return flops_; }
  void reset() override { flops_ = 0; }

  [[nodiscard]] std::string_view name() const override { return "counting"; }
  [[nodiscard]] std::string_view target() const override { return inner_.target(); }

  void gemm(GemmCase which, MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> c,
            const Epilogue<T>& epilogue, const Execution& with) const override {
    inner_.gemm(which, a, b, c, epilogue, with);
    const EpilogueCost cost{.scaled = epilogue.alpha != T{1},
                            .accumulated = epilogue.beta != T{0},
                            .beta_is_one = epilogue.beta == T{1},
                            .biased = !epilogue.bias.empty()};
    const GemmShape shape = gemm_shape<T>(which, a, b, c, epilogue);
    note("gemm", variant_of(which, epilogue), {shape.m, shape.n, shape.k},
         {operand(a), operand(b), operand(c)}, gemm_flops(shape, cost));
  }

  void activate(Activation phi, MatrixView<const T> z, MatrixView<T> h,
                const Execution& with) const override {
    inner_.activate(phi, z, h, with);
    note("activate", kernels::name_of(phi), {h.rows(), h.cols()}, {operand(z), operand(h)},
         activate_flops(phi, elements(h)));
  }
  void multiply_by_slope(Activation phi, MatrixView<const T> h, MatrixView<T> g,
                         const Execution& with) const override {
    inner_.multiply_by_slope(phi, h, g, with);
    note("multiply_by_slope", kernels::name_of(phi), {g.rows(), g.cols()}, {operand(h), operand(g)},
         multiply_by_slope_flops(phi, elements(g)));
  }
  void multiply(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out,
                const Execution& with) const override {
    inner_.multiply(a, b, out, with);
    note("multiply", "", {out.rows(), out.cols()}, {operand(a), operand(b), operand(out)},
         multiply_flops(elements(out)));
  }
  void accumulate_path_step(MatrixView<const T> next, MatrixView<const T> now,
                            MatrixView<const T> gradient, MatrixView<T> out,
                            const Execution& with) const override {
    inner_.accumulate_path_step(next, now, gradient, out, with);
    note("accumulate_path_step", "", {out.rows(), out.cols()},
         {operand(next), operand(now), operand(gradient), operand(out)},
         accumulate_path_step_flops(elements(out)));
  }
  void interpolate(MatrixView<const T> from, MatrixView<const T> to, T t, MatrixView<T> out,
                   const Execution& with) const override {
    inner_.interpolate(from, to, t, out, with);
    note("interpolate", "", {out.rows(), out.cols()}, {operand(from), operand(to), operand(out)},
         interpolate_flops(elements(out)));
  }
  void column_sums(MatrixView<const T> a, T beta, std::span<T> out,
                   const Execution& with) const override {
    inner_.column_sums(a, beta, out, with);
    note("column_sums", beta != T{0} ? "beta" : "", {a.rows(), a.cols()},
         {operand(a), operand(out)}, column_sums_flops(a.rows(), a.cols(), beta != T{0}));
  }
  void column_moments(MatrixView<const T> a, const ColumnMoments<T>& out,
                      const Execution& with) const override {
    inner_.column_moments(a, out, with);
    note("column_moments", "", {a.rows(), a.cols()}, {operand(a)},
         column_moments_flops(a.rows(), a.cols()));
  }

  void cross_entropy(MatrixView<const T> logits, std::span<const std::uint32_t> labels,
                     std::span<T> losses, const Execution& with) const override {
    inner_.cross_entropy(logits, labels, losses, with);
    note("cross_entropy", "", {logits.rows(), logits.cols()}, {operand(logits)},
         cross_entropy_flops(logits.rows(), logits.cols()));
  }
  void cross_entropy_gradient(MatrixView<const T> logits, std::span<const std::uint32_t> labels,
                              T scale, std::span<T> losses, MatrixView<T> gradient,
                              const Execution& with) const override {
    inner_.cross_entropy_gradient(logits, labels, scale, losses, gradient, with);
    note("cross_entropy_gradient", "", {logits.rows(), logits.cols()},
         {operand(logits), operand(gradient)},
         cross_entropy_gradient_flops(logits.rows(), logits.cols()));
  }
  void soft_cross_entropy(MatrixView<const T> logits, MatrixView<const T> targets,
                          std::span<T> losses, std::span<T> magnitudes,
                          const Execution& with) const override {
    inner_.soft_cross_entropy(logits, targets, losses, magnitudes, with);
    note("soft_cross_entropy", "", {logits.rows(), logits.cols()},
         {operand(logits), operand(targets)},
         soft_cross_entropy_flops(logits.rows(), logits.cols()));
  }
  void squared_error_gradient(MatrixView<const T> predictions, MatrixView<const T> targets, T scale,
                              std::span<T> losses, MatrixView<T> gradient,
                              const Execution& with) const override {
    inner_.squared_error_gradient(predictions, targets, scale, losses, gradient, with);
    note("squared_error_gradient", "", {predictions.rows(), predictions.cols()},
         {operand(predictions), operand(targets), operand(gradient)},
         squared_error_gradient_flops(predictions.rows(), predictions.cols()));
  }

  void sgd_step(const SgdStep<T>& step, std::span<const T> gradient, std::span<T> velocity,
                std::span<T> weights, const Execution& with) const override {
    inner_.sgd_step(step, gradient, velocity, weights, with);
    note("sgd_step", "", {weights.size()}, {operand(gradient), operand(velocity), operand(weights)},
         sgd_step_flops(weights.size()));
  }
  void adam_step(const AdamStep<T>& step, std::span<const T> gradient, std::span<T> first,
                 std::span<T> second, std::span<T> weights, const Execution& with) const override {
    inner_.adam_step(step, gradient, first, second, weights, with);
    note("adam_step", "", {weights.size()},
         {operand(gradient), operand(first), operand(second), operand(weights)},
         adam_step_flops(weights.size()));
  }

  void rank_one_rows(MatrixView<const T> z, MatrixView<const T> columns, const SparseRows<T>& rows,
                     bool relu, MatrixView<T> out, const Execution& with) const override {
    inner_.rank_one_rows(z, columns, rows, relu, out, with);
    note("rank_one_rows", relu ? "relu" : "",
         {out.rows(), out.cols(), std::bit_ceil(z.rows()), columns.rows()},
         {operand(z), operand(columns), operand(out)}, rank_one_rows_flops(out.rows(), out.cols()));
  }
  void transpose(MatrixView<const T> a, MatrixView<T> out, const Execution& with) const override {
    inner_.transpose(a, out, with);
    note("transpose", "", {a.rows(), a.cols()}, {operand(a), operand(out)}, 0);
  }

  void scale_jacobian_rows(Activation phi, MatrixView<const T> h, std::size_t inputs,
                           MatrixView<T> jacobian, const Execution& with) const override {
    inner_.scale_jacobian_rows(phi, h, inputs, jacobian, with);
    note("scale_jacobian_rows", kernels::name_of(phi), {h.cols(), h.rows(), inputs},
         {operand(h), operand(jacobian)},
         scale_jacobian_rows_flops(phi, h.cols(), h.rows(), inputs));
  }
  void first_jacobian(Activation phi, MatrixView<const T> h, MatrixView<const T> weights,
                      MatrixView<T> jacobian, const Execution& with) const override {
    inner_.first_jacobian(phi, h, weights, jacobian, with);
    note("first_jacobian", kernels::name_of(phi), {h.cols(), h.rows(), weights.cols()},
         {operand(h), operand(weights), operand(jacobian)},
         first_jacobian_flops(phi, h.cols(), h.rows(), weights.cols()));
  }
  void accumulate_jacobian(MatrixView<const T> jacobian, T scale, bool absolute, MatrixView<T> out,
                           const Execution& with) const override {
    inner_.accumulate_jacobian(jacobian, scale, absolute, out, with);
    const std::size_t inputs = out.cols();
    const std::size_t samples = inputs == 0 ? 0 : jacobian.cols() / inputs;
    note("accumulate_jacobian", absolute ? "absolute" : "", {out.rows(), samples, inputs},
         {operand(jacobian), operand(out)}, accumulate_jacobian_flops(out.rows(), samples, inputs));
  }

  void multiply_change(MatrixView<const T> next, MatrixView<const T> now,
                       MatrixView<const T> gradient, MatrixView<T> out,
                       const Execution& with) const override {
    inner_.multiply_change(next, now, gradient, out, with);
    std::string variant(row_variant(now, out));
    if (gradient.rows() < out.rows()) {
      variant += gradient.empty() ? "+difference" : "+factors";
    }
    note("multiply_change", variant, {out.rows(), out.cols()},
         {operand(next), operand(now), operand(gradient), operand(out)},
         gradient.empty() ? multiply_flops(elements(out)) : multiply_change_flops(elements(out)));
  }
  void multiply_by_ratio(const Ratio<T>& ratio, MatrixView<T> g,
                         const Execution& with) const override {
    inner_.multiply_by_ratio(ratio, g, with);
    note("multiply_by_ratio", "", {g.rows(), g.cols()},
         {operand(ratio.numerator), operand(ratio.denominator), operand(g)},
         multiply_by_ratio_flops(elements(g)));
  }
  void multiply_by_secants(Activation phi, const Secants<T>& secants, MatrixView<T> g,
                           const Execution& with) const override {
    inner_.multiply_by_secants(phi, secants, g, with);
    note("multiply_by_secants",
         std::string(kernels::name_of(phi)).append(row_variant(secants.from_z, g)),
         {g.rows(), g.cols()},
         {operand(secants.z), operand(secants.h), operand(secants.from_z), operand(secants.from_h),
          operand(g)},
         multiply_by_secants_flops(phi, elements(g)));
  }
  void scale_columns(std::span<const T> factors, MatrixView<const T> a, MatrixView<T> out,
                     const Execution& with) const override {
    inner_.scale_columns(factors, a, out, with);
    note("scale_columns", "", {out.rows(), out.cols()}, {operand(a), operand(out)},
         scale_columns_flops(elements(out)));
  }

  void copy(MatrixView<const T> a, MatrixView<T> out, const Execution& with) const override {
    inner_.copy(a, out, with);
    note("copy", "", {out.rows(), out.cols()}, {operand(a), operand(out)}, 0);
  }
  void gather_rows(MatrixView<const T> a, std::span<const std::uint32_t> index, MatrixView<T> out,
                   const Execution& with) const override {
    inner_.gather_rows(a, index, out, with);
    note("gather_rows", "", {out.rows(), out.cols(), a.rows()}, {operand(a), operand(out)}, 0);
  }
  void pick(MatrixView<const T> a, std::span<const std::uint32_t> column, std::span<T> out,
            const Execution& with) const override {
    inner_.pick(a, column, out, with);
    note("pick", "", {a.rows(), a.cols()}, {operand(a)}, 0);
  }
  void one_hot(std::span<const std::uint32_t> labels, std::span<const T> on, std::span<const T> off,
               MatrixView<T> out, const Execution& with) const override {
    inner_.one_hot(labels, on, off, out, with);
    note("one_hot", "", {out.rows(), out.cols()}, {operand(out)}, 0);
  }

  void count_positive(MatrixView<const T> h, std::span<const std::uint32_t> labels, bool accumulate,
                      MatrixView<T> counts, const Execution& with) const override {
    inner_.count_positive(h, labels, accumulate, counts, with);
    note("count_positive", accumulate ? "accumulate" : "", {h.rows(), h.cols(), counts.rows()},
         {operand(h), operand(counts)}, count_positive_flops(elements(h)));
  }
  void mutual_information(MatrixView<const T> active, std::span<const T> samples, std::span<T> out,
                          const Execution& with) const override {
    inner_.mutual_information(active, samples, out, with);
    note("mutual_information", "", {active.rows(), active.cols()}, {operand(active)},
         mutual_information_flops(active.rows(), active.cols()));
  }

  void update_largest(MatrixView<const T> a, std::size_t first, MatrixView<T> values,
                      MatrixView<T> numbers, const Execution& with) const override {
    inner_.update_largest(a, first, values, numbers, with);
    note("update_largest", first == 0 ? "begin" : "", {a.rows(), a.cols(), values.rows()},
         {operand(a), operand(values), operand(numbers)}, 0);
  }
  void keep_largest(std::size_t k, MatrixView<const T> a, MatrixView<T> kept, MatrixView<T> chosen,
                    const Execution& with) const override {
    inner_.keep_largest(k, a, kept, chosen, with);
    note("keep_largest", "", {a.rows(), a.cols(), k}, {operand(a), operand(kept), operand(chosen)},
         0);
  }
  void unit_rows(std::uint64_t seed, std::uint64_t stream, MatrixView<T> out,
                 const Execution& with) const override {
    inner_.unit_rows(seed, stream, out, with);
    note("unit_rows", "", {out.rows(), out.cols()}, {operand(out)},
         unit_rows_flops(out.rows(), out.cols()));
  }

  void invert_factor(MatrixView<const T> a, MatrixView<T> inverse,
                     const Execution& with) const override {
    inner_.invert_factor(a, inverse, with);
    note("invert_factor", "", {a.rows()}, {operand(a), operand(inverse)},
         invert_factor_flops(a.rows()));
  }

  void list_units(MatrixView<const T> h, const Walks& walks, bool positive_only,
                  MatrixView<std::uint32_t> unit, MatrixView<T> value,
                  const Execution& with) const override {
    inner_.list_units(h, walks, positive_only, unit, value, with);
    note("list_units", positive_only ? "positive" : "",
         {unit.cols(), h.rows(), h.cols(), walks.orders.rows()},
         {operand(h), operand(unit), operand(value)}, 0);
  }
  std::size_t list_elements(MatrixView<const T> a, Listed which,
                            std::span<const std::uint32_t> tags, T factor,
                            const ElementList<T>& list, const Execution& with) const override {
    const std::size_t count = inner_.list_elements(a, which, tags, factor, list, with);
    note("list_elements", name_of(which), {a.rows() * a.cols()},
         {operand(a), operand(list.value.first(count))}, multiply_flops(count));
    return count;
  }
  void gather_elements(MatrixView<const T> a, const Places& places, std::span<T> out,
                       const Execution& with) const override {
    inner_.gather_elements(a, places, out, with);
    note("gather_elements", "", {out.size(), std::bit_ceil(a.rows()), a.cols()},
         {operand(a), operand(out)}, 0);
  }
  void add_changes(std::span<const T> after, std::span<const T> before, const Places& places,
                   MatrixView<double> sums, const Execution& with) const override {
    inner_.add_changes(after, before, places, sums, with);
    note("add_changes", "", {after.size(), sums.rows(), sums.cols()},
         {operand(after), operand(before), operand(sums)}, add_changes_flops(after.size()));
  }
  void first_active_jacobian(MatrixView<const T> h, MatrixView<const T> weights,
                             MatrixView<const T> factors, MatrixView<T> jacobian,
                             const Execution& with) const override {
    inner_.first_active_jacobian(h, weights, factors, jacobian, with);
    note("first_active_jacobian", factors.empty() ? "" : "factors",
         {h.rows(), h.cols(), weights.cols()}, {operand(h), operand(weights), operand(jacobian)},
         first_active_jacobian_flops(active_pairs(h), weights.cols(), !factors.empty()));
  }
  void next_active_jacobian(const ActiveLayer<T>& layer, MatrixView<const T> below,
                            MatrixView<T> jacobian, const Execution& with) const override {
    inner_.next_active_jacobian(layer, below, jacobian, with);
    note("next_active_jacobian", "",
         {layer.h.rows(), layer.h.cols(), layer.below.cols(), jacobian.cols()},
         {operand(layer.below), operand(layer.h), operand(layer.weights), operand(below),
          operand(jacobian)},
         next_active_jacobian_flops(active_links(layer.below, layer.h), jacobian.cols()));
  }
  void accumulate_active_jacobian(const ActiveSum<T>& sum, MatrixView<const T> jacobian,
                                  MatrixView<T> out, const Execution& with) const override {
    inner_.accumulate_active_jacobian(sum, jacobian, out, with);
    const std::string gains = sum.gains.empty() ? "" : "gains";
    note("accumulate_active_jacobian", gains + (sum.absolute ? "+absolute" : ""),
         {sum.h.rows(), sum.h.cols(), out.cols()},
         {operand(sum.h), operand(jacobian), operand(out)},
         accumulate_active_jacobian_flops(active_pairs(sum.h), out.cols()));
  }
  void rank_one_products(const RestartedLayers<T>& layers, const SparseRows<T>& rows,
                         MatrixView<T> out, const Execution& with) const override {
    inner_.rank_one_products(layers, rows, out, with);
    const std::size_t width = layers.z.cols();
    note("rank_one_products", layers.relu ? "relu" : "",
         {out.rows(), out.cols(), width, layers.z.rows(), layers.columns.rows()},
         {operand(layers.z), operand(layers.columns), operand(layers.next), operand(out)},
         rank_one_products_flops(out.rows(), width, restarted_links(layers.z, rows), out.cols()));
  }

 private:
  /// "+row" where an operand has one row for all of `out`'s.
  [[nodiscard]] static std::string_view row_variant(MatrixView<const T> a,
                                                    MatrixView<const T> out) {
    return a.rows() == 1 && out.rows() > 1 ? "+row" : "";
  }

  void note(std::string_view operation, std::string_view variant,
            std::initializer_list<std::size_t> extents, std::initializer_list<Operand> operands,
            Flops flops) const {
    flops_ += flops;
    if (observer_) {
      observer_(flops_);
    }
    if (recorder_ != nullptr) {
      recorder_->record(operation, std::string(variant), extents, operands);
    }
  }

  [[nodiscard]] static std::uint64_t active_units(MatrixView<const T> h, std::size_t sample) {
    const std::span<const T> row = h.row(sample);
    return static_cast<std::uint64_t>(
        std::count_if(row.begin(), row.end(), [](T value) { return value > T{0}; }));
  }
  [[nodiscard]] static std::uint64_t active_pairs(MatrixView<const T> h) {
    std::uint64_t pairs = 0;
    for (std::size_t s = 0; s < h.rows(); ++s) {
      pairs += active_units(h, s);
    }
    return pairs;
  }
  [[nodiscard]] static std::uint64_t active_links(MatrixView<const T> below,
                                                  MatrixView<const T> h) {
    std::uint64_t links = 0;
    for (std::size_t s = 0; s < h.rows(); ++s) {
      links += active_units(below, s) * active_units(h, s);
    }
    return links;
  }
  [[nodiscard]] static std::uint64_t restarted_links(MatrixView<const T> z,
                                                     const SparseRows<T>& rows) {
    std::uint64_t links = 0;
    std::uint64_t units = 0;
    for (std::size_t r = 0; r < rows.sample.size(); ++r) {
      if (r == 0 || rows.sample[r] != rows.sample[r - 1]) {
        units = active_units(z, rows.sample[r]);
      }
      links += units;
    }
    return links;
  }
  [[nodiscard]] static std::uint64_t elements(MatrixView<const T> a) {
    return std::uint64_t{a.rows()} * a.cols();
  }

  const Backend<T>& inner_;
  CallRecorder* recorder_;
  CountObserver observer_;
  mutable Flops flops_ = 0;  // operations are const: counting does not change what they do
};

}  // namespace

template <class T>
std::unique_ptr<CountingBackend<T>> make_counting_backend(const Backend<T>& inner,
                                                          CallRecorder* recorder,
                                                          CountObserver observer) {
  return std::make_unique<Counting<T>>(inner, recorder, std::move(observer));
}

template std::unique_ptr<CountingBackend<float>> make_counting_backend(const Backend<float>&,
                                                                       CallRecorder*,
                                                                       CountObserver);
template std::unique_ptr<CountingBackend<double>> make_counting_backend(const Backend<double>&,
                                                                        CallRecorder*,
                                                                        CountObserver);

}  // namespace interpscale::kernels
