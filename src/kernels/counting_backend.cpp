// SPDX-License-Identifier: Apache-2.0
#include "interpscale/kernels/counting_backend.hpp"

namespace interpscale::kernels {
namespace {

template <class T>
class Counting final : public CountingBackend<T> {
 public:
  explicit Counting(const Backend<T>& inner) : inner_(inner) {}

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
    flops_ += gemm_flops(gemm_shape<T>(which, a, b, c, epilogue), cost);
  }

  void activate(Activation phi, MatrixView<const T> z, MatrixView<T> h,
                const Execution& with) const override {
    inner_.activate(phi, z, h, with);
    flops_ += activate_flops(phi, elements(h));
  }
  void multiply_by_slope(Activation phi, MatrixView<const T> h, MatrixView<T> g,
                         const Execution& with) const override {
    inner_.multiply_by_slope(phi, h, g, with);
    flops_ += multiply_by_slope_flops(phi, elements(g));
  }
  void multiply(MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> out,
                const Execution& with) const override {
    inner_.multiply(a, b, out, with);
    flops_ += multiply_flops(elements(out));
  }
  void accumulate_path_step(MatrixView<const T> next, MatrixView<const T> now,
                            MatrixView<const T> gradient, MatrixView<T> out,
                            const Execution& with) const override {
    inner_.accumulate_path_step(next, now, gradient, out, with);
    flops_ += accumulate_path_step_flops(elements(out));
  }
  void interpolate(MatrixView<const T> from, MatrixView<const T> to, T t, MatrixView<T> out,
                   const Execution& with) const override {
    inner_.interpolate(from, to, t, out, with);
    flops_ += interpolate_flops(elements(out));
  }
  void column_sums(MatrixView<const T> a, T beta, std::span<T> out,
                   const Execution& with) const override {
    inner_.column_sums(a, beta, out, with);
    flops_ += column_sums_flops(a.rows(), a.cols(), beta != T{0});
  }
  void column_moments(MatrixView<const T> a, const ColumnMoments<T>& out,
                      const Execution& with) const override {
    inner_.column_moments(a, out, with);
    flops_ += column_moments_flops(a.rows(), a.cols());
  }

  void cross_entropy(MatrixView<const T> logits, std::span<const std::uint32_t> labels,
                     std::span<T> losses, const Execution& with) const override {
    inner_.cross_entropy(logits, labels, losses, with);
    flops_ += cross_entropy_flops(logits.rows(), logits.cols());
  }
  void cross_entropy_gradient(MatrixView<const T> logits, std::span<const std::uint32_t> labels,
                              T scale, std::span<T> losses, MatrixView<T> gradient,
                              const Execution& with) const override {
    inner_.cross_entropy_gradient(logits, labels, scale, losses, gradient, with);
    flops_ += cross_entropy_gradient_flops(logits.rows(), logits.cols());
  }
  void squared_error_gradient(MatrixView<const T> predictions, MatrixView<const T> targets, T scale,
                              std::span<T> losses, MatrixView<T> gradient,
                              const Execution& with) const override {
    inner_.squared_error_gradient(predictions, targets, scale, losses, gradient, with);
    flops_ += squared_error_gradient_flops(predictions.rows(), predictions.cols());
  }

  void sgd_step(const SgdStep<T>& step, std::span<const T> gradient, std::span<T> velocity,
                std::span<T> weights, const Execution& with) const override {
    inner_.sgd_step(step, gradient, velocity, weights, with);
    flops_ += sgd_step_flops(weights.size());
  }
  void adam_step(const AdamStep<T>& step, std::span<const T> gradient, std::span<T> first,
                 std::span<T> second, std::span<T> weights, const Execution& with) const override {
    inner_.adam_step(step, gradient, first, second, weights, with);
    flops_ += adam_step_flops(weights.size());
  }

  void rank_one_rows(MatrixView<const T> z, MatrixView<const T> columns, const SparseRows<T>& rows,
                     bool relu, MatrixView<T> out, const Execution& with) const override {
    inner_.rank_one_rows(z, columns, rows, relu, out, with);
    flops_ += rank_one_rows_flops(out.rows(), out.cols());
  }
  void transpose(MatrixView<const T> a, MatrixView<T> out, const Execution& with) const override {
    inner_.transpose(a, out, with);
  }

  void scale_jacobian_rows(Activation phi, MatrixView<const T> h, std::size_t inputs,
                           MatrixView<T> jacobian, const Execution& with) const override {
    inner_.scale_jacobian_rows(phi, h, inputs, jacobian, with);
    flops_ += scale_jacobian_rows_flops(phi, h.cols(), h.rows(), inputs);
  }
  void first_jacobian(Activation phi, MatrixView<const T> h, MatrixView<const T> weights,
                      MatrixView<T> jacobian, const Execution& with) const override {
    inner_.first_jacobian(phi, h, weights, jacobian, with);
    flops_ += first_jacobian_flops(phi, h.cols(), h.rows(), weights.cols());
  }
  void accumulate_jacobian(MatrixView<const T> jacobian, T scale, bool absolute, MatrixView<T> out,
                           const Execution& with) const override {
    inner_.accumulate_jacobian(jacobian, scale, absolute, out, with);
    const std::size_t inputs = out.cols();
    const std::size_t samples = inputs == 0 ? 0 : jacobian.cols() / inputs;
    flops_ += accumulate_jacobian_flops(out.rows(), samples, inputs);
  }

 private:
  [[nodiscard]] static std::uint64_t elements(MatrixView<const T> a) {
    return std::uint64_t{a.rows()} * a.cols();
  }

  const Backend<T>& inner_;
  mutable Flops flops_ = 0;  // operations are const: counting does not change what they do
};

}  // namespace

template <class T>
std::unique_ptr<CountingBackend<T>> make_counting_backend(const Backend<T>& inner) {
  return std::make_unique<Counting<T>>(inner);
}

template std::unique_ptr<CountingBackend<float>> make_counting_backend(const Backend<float>&);
template std::unique_ptr<CountingBackend<double>> make_counting_backend(const Backend<double>&);

}  // namespace interpscale::kernels
