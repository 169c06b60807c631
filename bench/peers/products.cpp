// Products: the list, and one prepared product as a subject.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "bench/peers/subjects_internal.hpp"
#include "interpscale/core/random.hpp"
#include "interpscale/kernels/flops.hpp"

namespace interpscale::bench::peers {
namespace {

using kernels::GemmCase;
using kernels::GemmShape;

/// Uniform on (-1, 1).
Matrix<float> uniform_matrix(std::uint64_t stream_index, std::size_t rows, std::size_t cols) {
  constexpr std::uint64_t kSeed = 1;
  const RandomStream stream(kSeed, stream_index);
  Matrix<float> values(rows, cols);
  std::uint64_t index = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    for (float& value : values.row(i)) {
      value = static_cast<float>(2.0 * stream.uniform(index++) - 1.0);
    }
  }
  return values;
}

class TimedProduct : public measure::Timed {
 public:
  TimedProduct(const Product& product, const Peer& peer)
      : product_(product),
        a_(product.which == GemmCase::kTN ? uniform_matrix(0, product.shape.k, product.shape.m)
                                          : uniform_matrix(0, product.shape.m, product.shape.k)),
        b_(product.which == GemmCase::kNT ? uniform_matrix(1, product.shape.n, product.shape.k)
                                          : uniform_matrix(1, product.shape.k, product.shape.n)),
        c_(product.shape.m, product.shape.n),
        work_(peer.prepare_product({product.which, a_, b_, c_})) {}

  [[nodiscard]] bool is_prepared() const { return work_ != nullptr; }

  void run() override { work_(); }

  /// First, middle and last row of C. A sum of k products in any order is off by at most
  /// k u sum |a b| (1 + O(k u)); u = 2^-24.
  Result<measure::Verification> verify() override {
    run();
    constexpr double kRoundOff = 0x1p-24;
    const std::size_t k = product_.shape.k;
    measure::Verification worst{0.0, 0.0, "sums in double precision, three rows"};
    for (const std::size_t i : {std::size_t{0}, product_.shape.m / 2, product_.shape.m - 1}) {
      for (std::size_t j = 0; j < product_.shape.n; ++j) {
        double sum = 0.0;
        double magnitudes = 0.0;
        for (std::size_t l = 0; l < k; ++l) {
          const double term = left(i, l) * right(l, j);
          sum += term;
          magnitudes += std::abs(term);
        }
        const double deviation = std::abs(static_cast<double>(c_(i, j)) - sum);
        const double allowed = static_cast<double>(k + 1) * kRoundOff * magnitudes;
        if (!(deviation <= allowed)) {
          return fail("{}: element ({}, {}) is off by {:.3g}, allowed are {:.3g}", product_.name(),
                      i, j, deviation, allowed);
        }
        if (deviation > worst.deviation) {
          worst.deviation = deviation;
          worst.allowed = allowed;
        }
      }
    }
    return worst;
  }

 private:
  [[nodiscard]] double left(std::size_t i, std::size_t l) const {
    return static_cast<double>(product_.which == GemmCase::kTN ? a_(l, i) : a_(i, l));
  }
  [[nodiscard]] double right(std::size_t l, std::size_t j) const {
    return static_cast<double>(product_.which == GemmCase::kNT ? b_(j, l) : b_(l, j));
  }

  Product product_;
  Matrix<float> a_;
  Matrix<float> b_;
  Matrix<float> c_;
  Work work_;
};

std::vector<GemmShape> all_shapes() {
  std::vector<GemmShape> shapes;
  for (const std::size_t m : {32U, 128U, 256U, 512U}) {
    for (const std::size_t w : {64U, 256U, 1024U, 4096U}) {
      shapes.push_back({m, w, w});
    }
  }
  for (const std::size_t w : {32U, 64U, 128U, 256U, 512U, 768U, 1024U, 2048U, 4096U}) {
    shapes.push_back({w, w, w});
  }
  for (const std::size_t w : {65U, 100U, 129U, 200U}) {
    shapes.push_back({w, w, w});
  }
  // A read-out of ten classes: logits and the gradients behind them.
  for (const std::size_t w : {64U, 256U, 1024U}) {
    shapes.push_back({128, 10, w});
    shapes.push_back({10, w, 128});
    shapes.push_back({128, w, 10});
  }
  for (const std::size_t m : {1U, 8U}) {
    for (const std::size_t w : {64U, 256U, 1024U}) {
      shapes.push_back({m, w, w});
    }
  }
  return shapes;
}

}  // namespace

std::string Product::name() const {
  return fmt::format("gemm/{}/m:{}/n:{}/k:{}", name_of(which), shape.m, shape.n, shape.k);
}

std::vector<Product> all_products() {
  std::vector<Product> products;
  std::set<std::string> names;
  for (const GemmShape& shape : all_shapes()) {
    for (const GemmCase which : {GemmCase::kNN, GemmCase::kNT, GemmCase::kTN}) {
      const Product product{which, shape};
      if (names.insert(product.name()).second) {
        products.push_back(product);
      }
    }
  }
  return products;
}

measure::Subject product_subject(const Product& product, const Peer& peer) {
  const GemmShape& shape = product.shape;
  measure::Subject subject;
  subject.name = product.name();
  subject.quantities.flops = kernels::gemm_flops(shape);
  subject.quantities.bytes =
      sizeof(float) * (checked_product(shape.m, shape.k) + checked_product(shape.k, shape.n) +
                       checked_product(shape.m, shape.n));
  subject.prepare = [product, peer]() -> Result<std::unique_ptr<measure::Timed>> {
    auto timed = std::make_unique<TimedProduct>(product, peer);
    if (!timed->is_prepared()) {
      return fail("{} has nothing for {}", peer.name, product.name());
    }
    return timed;
  };
  return subject;
}

std::vector<GridEntry> make_peer_grid(const Peer& peer) {
  std::vector<measure::Subject> subjects;
  for (const Product& product : all_products()) {
    const GemmShape& shape = product.shape;
    if (std::max({shape.m, shape.n, shape.k}) <= peer.largest_extent) {
      subjects.push_back(product_subject(product, peer));
    }
  }
  for (const Training& training : all_trainings()) {
    if (std::count(peer.optimizers.begin(), peer.optimizers.end(), training.optimizer) > 0) {
      subjects.push_back(training_subject(training, peer));
    }
  }
  std::vector<GridEntry> grid;
  for (measure::Subject& subject : subjects) {
    std::string name = subject.name;
    const measure::Quantities dense = subject.quantities;
    grid.push_back(
        {std::move(name), dense,
         [subject = std::move(subject)]() -> Result<measure::Subject> { return subject; }});
  }
  return grid;
}

}  // namespace interpscale::bench::peers
