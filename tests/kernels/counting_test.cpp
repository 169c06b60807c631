// Counting, backends by name, and the probes.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "interpscale/kernels/counting_backend.hpp"
#include "interpscale/kernels/probes.hpp"
#include "kernels/support.hpp"

namespace interpscale::kernels {
namespace {

using testing::Operand;

TEMPLATE_TEST_CASE("counting backend: every operation adds its FLOPs", "[kernels][counting]", float,
                   double) {
  using T = TestType;
  const auto inner = make_backend<T>("reference").value();
  const auto counting = make_counting_backend<T>(*inner);
  Workspace workspace;
  const Execution with{1, workspace};
  // Samples B, units n, inputs d.
  constexpr std::size_t kB = 3;
  constexpr std::size_t kN = 4;
  constexpr std::size_t kD = 5;
  const Operand<T> h(kB, kN);
  const Operand<T> weights(kN, kD);
  Operand<T> z(kB, kN);
  Operand<T> jacobian(kN, kB * kD);
  Operand<T> sums(kN, kD);
  Operand<T> transposed(kN, kB);
  std::vector<T> columns(kN);
  std::vector<T> other(kN);
  std::vector<T> third(kN);
  std::vector<T> fourth(kN);
  std::vector<T> losses(kB);
  std::vector<T> magnitudes(kB);
  const std::vector<std::uint32_t> labels(kB);
  const auto counted = [&](const auto& call) {
    counting->reset();
    call();
    return counting->flops();
  };

  const Operand<T> a(kB, kD);
  const auto product = [&](const Epilogue<T>& epilogue) {
    return counted([&] { counting->gemm(GemmCase::kNT, a, weights, z, epilogue, with); });
  };
  Epilogue<T> epilogue;
  CHECK(product(epilogue) == 2 * kB * kN * kD);
  epilogue.relu = true;
  epilogue.mask = h;
  CHECK(product(epilogue) == 2 * kB * kN * kD);
  epilogue.alpha = T{2};
  epilogue.beta = T{1};
  epilogue.bias = columns;
  CHECK(product(epilogue) == 2 * kB * kN * kD + 3 * kB * kN);
  epilogue.beta = T{3};
  CHECK(product(epilogue) == 2 * kB * kN * kD + 4 * kB * kN);

  struct Costs {
    Activation phi;
    Flops value;
    Flops slope;
  };
  for (const Costs& costs : {Costs{Activation::kRelu, 0, 0}, Costs{Activation::kSoftplus, 3, 3},
                             Costs{Activation::kTanh, 1, 3}}) {
    const Activation phi = costs.phi;
    const Flops slope = costs.slope;
    CHECK(counted([&] { counting->activate(phi, h, z, with); }) == costs.value * kB * kN);
    CHECK(counted([&] { counting->multiply_by_slope(phi, h, z, with); }) == slope * kB * kN);
    const Flops jacobian_flops = slope == 0 ? 0 : kN * kB * (kD + slope - 1);
    CHECK(counted([&] { counting->scale_jacobian_rows(phi, h, kD, jacobian, with); }) ==
          jacobian_flops);
    CHECK(counted([&] { counting->first_jacobian(phi, h, weights, jacobian, with); }) ==
          jacobian_flops);
  }
  CHECK(counted([&] { counting->accumulate_jacobian(jacobian, T{1}, true, sums, with); }) ==
        kN * kD * (kB + 2));
  CHECK(counted([&] { counting->multiply(h, h, z, with); }) == kB * kN);
  CHECK(counted([&] { counting->accumulate_path_step(h, h, h, z, with); }) == 3 * kB * kN);
  CHECK(counted([&] { counting->interpolate(h, h, T{0}, z, with); }) == 3 * kB * kN);
  CHECK(counted([&] { counting->column_sums(h, T{0}, columns, with); }) == kB * kN);
  CHECK(counted([&] { counting->column_sums(h, T{1}, columns, with); }) == kB * kN + 2 * kN);
  CHECK(counted([&] {
          counting->column_moments(h, {columns, other, third}, with);
        }) == 4 * kB * kN + 3 * kN);
  CHECK(counted([&] { counting->cross_entropy(h, labels, losses, with); }) == 3 * kB * kN + 3 * kB);
  CHECK(counted([&] { counting->cross_entropy_gradient(h, labels, T{1}, losses, z, with); }) ==
        5 * kB * kN + 4 * kB);
  CHECK(counted([&] { counting->soft_cross_entropy(h, h, losses, magnitudes, with); }) ==
        5 * kB * kN + 2 * kB);
  CHECK(counted([&] { counting->squared_error_gradient(h, h, T{1}, losses, z, with); }) ==
        4 * kB * kN + kB);
  CHECK(counted([&] { counting->sgd_step({}, columns, other, third, with); }) == 4 * kN);
  AdamStep<T> adam{};
  adam.step = 1;
  adam.beta1 = T{0.5};
  adam.beta2 = T{0.5};
  CHECK(counted([&] { counting->adam_step(adam, columns, other, fourth, third, with); }) ==
        13 * kN);
  const std::vector<T> delta(kB);
  CHECK(counted([&] {
          counting->rank_one_rows(h, h, {labels, labels, delta}, false, z, with);
        }) == 2 * kB * kN);
  // Two of sample 0, one of sample 2.
  Operand<T> active(kB, kN);
  active.view()(0, 1) = T{1};
  active.view()(0, 3) = T{2};
  active.view()(2, 0) = T{3};
  const Operand<T> square(kN, kN);
  Operand<T> packed(kB * kN, kD);
  Operand<T> next_packed(kB * kN, kD);
  CHECK(counted([&] { counting->first_active_jacobian(active, weights, {}, packed, with); }) == 0);
  CHECK(counted([&] { counting->first_active_jacobian(active, weights, a, packed, with); }) ==
        3 * kD);
  CHECK(counted([&] {
          counting->next_active_jacobian({active, active, square}, packed, next_packed, with);
        }) == 2 * (2 * 2 + 1) * kD);
  CHECK(counted([&] {
          counting->accumulate_active_jacobian({active, {}, T{1}, false}, packed, sums, with);
        }) == 2 * 3 * kD);
  const std::vector<std::uint32_t> samples = {0, 0, 2};
  const std::vector<T> bias(kD);
  Operand<T> restarted(kB, kD);
  CHECK(counted([&] {
          counting->rank_one_products({active, square, weights, bias, true},
                                      {samples, labels, delta}, restarted, with);
        }) == 2 * kB * kN + 2 * (2 + 2 + 1) * kD + kB * kD);
  CHECK(counted([&] { counting->transpose(h, transposed, with); }) == 0);
  // Without a reset, calls add up.
  counting->multiply(h, h, z, with);
  counting->multiply(h, h, z, with);
  CHECK(counting->flops() == 2 * kB * kN);
}

TEMPLATE_TEST_CASE("counting backend: operations of analyses add their FLOPs",
                   "[kernels][counting]", float, double) {
  using T = TestType;
  const auto inner = make_backend<T>("reference").value();
  const auto counting = make_counting_backend<T>(*inner);
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr std::size_t kB = 3;
  constexpr std::size_t kN = 4;
  const Operand<T> h(kB, kN);
  Operand<T> out(kB, kN);
  Operand<T> other(kB, kN);
  const std::vector<T> columns(kN);
  std::vector<T> of_columns(kN);
  std::vector<T> of_rows(kB);
  const std::vector<std::uint32_t> zeros(kB);
  const auto counted = [&](const auto& call) {
    counting->reset();
    call();
    return counting->flops();
  };
  CHECK(counted([&] { counting->multiply_change(h, h, h, out, with); }) == 2 * kB * kN);
  CHECK(counted([&] { counting->multiply_by_ratio({h, h, T{1}}, out, with); }) == 3 * kB * kN);
  CHECK(counted([&] {
          counting->multiply_by_secants(Activation::kRelu, {h, h, h, h, T{1}}, out, with);
        }) == 6 * kB * kN);
  CHECK(counted([&] {
          counting->multiply_by_secants(Activation::kTanh, {h, h, h, h, T{1}}, out, with);
        }) == (6 + 1 + 2) * kB * kN);
  CHECK(counted([&] { counting->scale_columns(columns, h, out, with); }) == kB * kN);
  CHECK(counted([&] { counting->copy(h, out, with); }) == 0);
  CHECK(counted([&] { counting->gather_rows(h, zeros, out, with); }) == 0);
  CHECK(counted([&] { counting->pick(h, zeros, of_rows, with); }) == 0);
  CHECK(counted([&] { counting->one_hot(zeros, columns, columns, out, with); }) == 0);
  CHECK(counted([&] { counting->count_positive(h, zeros, false, out, with); }) == kB * kN);
  CHECK(counted([&] { counting->mutual_information(h, of_rows, of_columns, with); }) ==
        16 * kB * kN);
  CHECK(counted([&] { counting->update_largest(h, 0, out, other, with); }) == 0);
  CHECK(counted([&] { counting->keep_largest(1, h, out, other, with); }) == 0);
  CHECK(counted([&] { counting->unit_rows(1, 1, out, with); }) == 4 * kB * kN + 2 * kB);
  Operand<T> square(2, 2);
  Operand<T> inverse(2, 2);
  square.view()(0, 0) = T{1};
  square.view()(1, 1) = T{1};
  // Two square roots, a quotient, a product and a difference; a quotient on each place of the
  // diagonal and below, and a product and a difference.
  CHECK(counted([&] { counting->invert_factor(square, inverse, with); }) == 5 + 5);
  Matrix<double> sums(1, 1);
  CHECK(counted([&] {
          counting->add_changes(of_rows, of_rows, {zeros, zeros}, sums, with);
        }) == 2 * kB);
}

TEST_CASE("counting backend: does the inner backend's work", "[kernels][counting]") {
  const auto inner = make_backend<float>("simd").value();
  const auto counting = make_counting_backend<float>(*inner);
  Workspace workspace;
  const auto a = testing::random_operand<float>(7, 9, 1);
  Operand<float> wanted(7, 9);
  Operand<float> got(7, 9);
  inner->activate(Activation::kTanh, a, wanted, {1, workspace});
  counting->activate(Activation::kTanh, a, got, {1, workspace});
  CHECK(testing::same_bits<float>(got, wanted));
  CHECK(counting->target() == inner->target());
}

TEST_CASE("make_backend: backends have the names they are listed under", "[kernels]") {
  CHECK(backend_names<float>().front() == "simd");
  for (const std::string& name : backend_names<double>()) {
    CHECK(make_backend<double>(name).value()->name() == name);
  }
  for (const std::string& target : simd_targets()) {
    CHECK(make_backend<float>("simd", target).value()->target() == target);
  }
  CHECK(make_backend<float>("simd").value()->target() == simd_targets().front());
}

TEST_CASE("make_backend: unknown names are reported with the known ones", "[kernels]") {
  const std::string known = fmt::format("{}", fmt::join(backend_names<float>(), ", "));
  CHECK(known.starts_with("simd, eigen, "));
  CHECK(known.ends_with("reference"));
  CHECK(make_backend<float>("cuda").error().message.find(known) != std::string::npos);
  CHECK(make_backend<float>("simd", "AVX9").error().message.find(simd_targets().front()) !=
        std::string::npos);
  CHECK_FALSE(make_backend<float>("eigen", simd_targets().front()).has_value());
}

TEST_CASE("probes: chains of x / 2 + 1 end at 2 on every lane", "[kernels][probes]") {
  for (const std::string& target : simd_targets()) {
    // 64 steps are more than float's 24 bits: every chain has arrived.
    const auto chains_times_lanes =
        static_cast<float>(fma_probe_flops_per_repeat(target) / (2 * 16));
    CHECK(fma_probe(4, target) == 2.0F * chains_times_lanes);
  }
  CHECK_THROWS_AS(fma_probe(1, "AVX9"), ContractViolation);
}

TEST_CASE("probes: reading adds up all numbers", "[kernels][probes]") {
  std::vector<float> data(1003);
  std::iota(data.begin(), data.end(), 1.0F);
  // Whole numbers below 2^24: every partial sum is exact.
  CHECK(read_probe(data) == 1003.0F * 1004.0F / 2.0F);
  CHECK(read_probe({}) == 0.0F);
}

}  // namespace
}  // namespace interpscale::kernels
