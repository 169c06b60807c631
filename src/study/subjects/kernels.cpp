// Single kernels as subjects: what a time model is made of.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <utility>

#include "interpscale/core/random.hpp"
#include "interpscale/kernels/flops.hpp"
#include "study/subjects/comparison.hpp"
#include "study/subjects/recipe.hpp"
#include "study/subjects/runtime.hpp"

namespace interpscale::study {
namespace {

using kernels::GemmCase;
using kernels::GemmShape;
using measure::Verification;

/// Uniform on (-1, 1).
void fill_uniform(std::uint64_t stream_index, MatrixView<float> values) {
  constexpr std::uint64_t kSeed = 1;
  const RandomStream stream(kSeed, stream_index);
  std::uint64_t index = 0;
  for (std::size_t i = 0; i < values.rows(); ++i) {
    for (float& value : values.row(i)) {
      value = static_cast<float>(2.0 * stream.uniform(index++) - 1.0);
    }
  }
}

Matrix<float> uniform_matrix(std::uint64_t stream_index, std::size_t rows, std::size_t cols) {
  Matrix<float> values(rows, cols);
  fill_uniform(stream_index, values);
  return values;
}

Matrix<double> exact_copy(MatrixView<const float> values) {
  Matrix<double> exact(values.rows(), values.cols());
  copy(values, exact.view());
  return exact;
}

class TimedGemm : public measure::Timed {
 public:
  TimedGemm(std::string name, GemmCase which, GemmShape shape, Runtime<float> runtime)
      : name_(std::move(name)),
        which_(which),
        shape_(shape),
        runtime_(std::move(runtime)),
        a_(which == GemmCase::kTN ? uniform_matrix(0, shape.k, shape.m)
                                  : uniform_matrix(0, shape.m, shape.k)),
        b_(which == GemmCase::kNT ? uniform_matrix(1, shape.n, shape.k)
                                  : uniform_matrix(1, shape.k, shape.n)),
        c_(shape.m, shape.n) {}

  void run() override {
    const kernels::Context<float> context = runtime_.context();
    context.backend.gemm(which_, a_, b_, c_, {}, context);
  }

  /// The first rows of C.
  Result<Verification> verify() override {
    run();
    const Result<Runtime<double>> reference = Runtime<double>::reference();
    if (!reference) {
      return tl::unexpected(reference.error());
    }
    const double row_flops = 2.0 * static_cast<double>(shape_.n) * static_cast<double>(shape_.k);
    const std::size_t rows = affordable_samples(shape_.m, row_flops);
    const Matrix<double> a = exact_copy(which_ == GemmCase::kTN ? a_.view().cols_from(0, rows)
                                                                : a_.view().rows_from(0, rows));
    const Matrix<double> b = exact_copy(b_.view());
    Matrix<double> c(rows, shape_.n);
    const kernels::Context<double> context = reference->context();
    context.backend.gemm(which_, a, b, c, {}, context);
    // Sums of k products of deviation 1/3 are of the size sqrt(k) / 3.
    const double scale = std::sqrt(static_cast<double>(shape_.k)) / 3.0;
    return verdict(
        name_,
        {largest_deviation(c_.view().rows_from(0, rows), c), rounding_bound(1, shape_.k, scale)},
        fmt::format("backend reference in double precision, {} of {} rows", rows, shape_.m));
  }

 private:
  std::string name_;
  GemmCase which_;
  GemmShape shape_;
  Runtime<float> runtime_;
  Matrix<float> a_;
  Matrix<float> b_;
  Matrix<float> c_;
};

/// An optimizer's update of `count` parameters at a rate at which they stay what they are.
class TimedUpdate : public measure::Timed {
 public:
  TimedUpdate(std::string name, nn::OptimizerKind kind, std::size_t count, Runtime<float> runtime)
      : name_(std::move(name)),
        kind_(kind),
        runtime_(std::move(runtime)),
        gradient_(uniform_matrix(0, 1, count)),
        first_(1, count),
        second_(1, count),
        weights_(uniform_matrix(1, 1, count)) {}

  void run() override {
    constexpr float kStandingRate = 1e-20F;
    update<float>(kStandingRate, ++steps_, gradient_, first_, second_, weights_,
                  runtime_.context());
  }

  /// One step at an ordinary rate, all parameters.
  Result<Verification> verify() override {
    const Result<Runtime<double>> reference = Runtime<double>::reference();
    if (!reference) {
      return tl::unexpected(reference.error());
    }
    constexpr double kOrdinaryRate = 1e-2;
    const std::size_t count = weights_.cols();
    Matrix<float> weights = weights_;
    Matrix<float> first(1, count);
    Matrix<float> second(1, count);
    update<float>(static_cast<float>(kOrdinaryRate), 1, gradient_, first, second, weights,
                  runtime_.context());
    Matrix<double> exact = exact_copy(weights_.view());
    Matrix<double> exact_first(1, count);
    Matrix<double> exact_second(1, count);
    update<double>(kOrdinaryRate, 1, exact_copy(gradient_.view()), exact_first, exact_second, exact,
                   reference->context());
    constexpr std::size_t kUpdateOperations = 13;
    return verdict(name_,
                   {largest_deviation(weights, exact), rounding_bound(1, kUpdateOperations, 1.0)},
                   fmt::format("backend reference in double precision, all {} parameters", count));
  }

 private:
  template <class T>
  void update(T rate, std::uint64_t step, const Matrix<T>& gradient, Matrix<T>& first,
              Matrix<T>& second, Matrix<T>& weights, const kernels::Context<T>& context) const {
    const nn::OptimizerOptions options;
    if (kind_ == nn::OptimizerKind::kSgd) {
      context.backend.sgd_step({rate, static_cast<T>(options.momentum)}, gradient.row(0),
                               first.row(0), weights.row(0), context);
    } else {
      context.backend.adam_step({rate, static_cast<T>(options.beta1), static_cast<T>(options.beta2),
                                 static_cast<T>(options.epsilon), step},
                                gradient.row(0), first.row(0), second.row(0), weights.row(0),
                                context);
    }
  }

  std::string name_;
  nn::OptimizerKind kind_;
  Runtime<float> runtime_;
  std::uint64_t steps_ = 0;
  Matrix<float> gradient_;
  Matrix<float> first_;
  Matrix<float> second_;
  Matrix<float> weights_;
};

}  // namespace

measure::Subject gemm_subject(GemmCase which, GemmShape shape, const Setting& setting) {
  require(shape.m > 0 && shape.n > 0 && shape.k > 0, "a product of empty matrices");
  measure::Subject subject;
  subject.name = with_setting(fmt::format("kernel/gemm/{}/m:{}/n:{}/k:{}", kernels::name_of(which),
                                          shape.m, shape.n, shape.k),
                              setting);
  subject.quantities.flops = kernels::gemm_flops(shape);
  subject.quantities.bytes =
      sizeof(float) * (checked_product(shape.m, shape.k) + checked_product(shape.k, shape.n) +
                       checked_product(shape.m, shape.n));
  subject.prepare = [name = subject.name, which, shape,
                     setting]() -> Result<std::unique_ptr<measure::Timed>> {
    return Runtime<float>::make(setting).map([&](Runtime<float> runtime) {
      return std::unique_ptr<measure::Timed>(
          std::make_unique<TimedGemm>(name, which, shape, std::move(runtime)));
    });
  };
  return subject;
}

measure::Subject update_subject(nn::OptimizerKind kind, std::size_t count, const Setting& setting) {
  require(count > 0, "an update of no parameters");
  const bool is_sgd = kind == nn::OptimizerKind::kSgd;
  measure::Subject subject;
  subject.name =
      with_setting(fmt::format("kernel/update/{}/n:{}", is_sgd ? "sgd" : "adam", count), setting);
  subject.quantities.parameters = count;
  subject.quantities.flops =
      is_sgd ? kernels::sgd_step_flops(count) : kernels::adam_step_flops(count);
  // The gradient is read; weights and moments are read and written.
  subject.quantities.bytes = sizeof(float) * count * (is_sgd ? 5U : 7U);
  subject.prepare = [name = subject.name, kind, count,
                     setting]() -> Result<std::unique_ptr<measure::Timed>> {
    return Runtime<float>::make(setting).map([&](Runtime<float> runtime) {
      return std::unique_ptr<measure::Timed>(
          std::make_unique<TimedUpdate>(name, kind, count, std::move(runtime)));
    });
  };
  return subject;
}

}  // namespace interpscale::study
