// SPDX-License-Identifier: Apache-2.0
#include "interpscale/kernels/counting_backend.hpp"

#include <string>
#include <utility>

namespace interpscale::kernels {
namespace {

template <class T>
Operand operand(MatrixView<T> a) {
  return {a.data(), a.rows() * a.leading_dimension() * sizeof(T)};
}
template <class T>
Operand operand(std::span<T> a) {
  return {a.data(), a.size_bytes()};
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
    note("rank_one_rows", relu ? "relu" : "", {out.rows(), out.cols(), z.rows(), columns.rows()},
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

 private:
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
