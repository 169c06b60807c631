// Products over active units alone: packed Jacobians and restarted layers against obvious loops in
// double, with dead, single, half active and fully active samples, and units at the kink.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "kernels/support.hpp"

namespace interpscale::kernels {
namespace {

using testing::all_backends;
using testing::gamma;
using testing::in_double;
using testing::Operand;
using testing::outside;
using testing::random_operand;
using testing::random_vector;
using testing::reference;

// Around vectors and register tiles, and more rows than a block has.
constexpr std::array<std::size_t, 7> kWidths = {1, 3, 16, 17, 65, 129, 200};
constexpr std::size_t kSamples = 6;

/// Activations of six samples: none active, all, one alone, every other, about half, and half with
/// exact zeros (and one negative zero) among the rest.
template <class T>
Operand<T> mixed_activity(std::size_t units, std::uint64_t stream) {
  Operand<T> h = random_operand<T>(kSamples, units, stream);
  for (std::size_t j = 0; j < units; ++j) {
    const T size = std::abs(h.view()(0, j)) + static_cast<T>(0.1);
    h.view()(0, j) = -size;
    h.view()(1, j) = size;
    h.view()(2, j) = j == units / 2 ? size : -size;
    h.view()(3, j) = j % 2 == 0 ? size : -size;
    if (j % 3 == 0) {
      h.view()(5, j) = j % 2 == 0 ? T{0} : -T{0};
    }
  }
  return h;
}

template <class T>
std::vector<std::size_t> active_units(const Operand<T>& h, std::size_t sample) {
  std::vector<std::size_t> units;
  for (std::size_t j = 0; j < h.view().cols(); ++j) {
    if (h.view()(sample, j) > T{0}) {
      units.push_back(j);
    }
  }
  return units;
}

template <class T>
Operand<T> absolute(const Operand<T>& operand) {
  Operand<T> result = operand;
  for (std::size_t i = 0; i < result.view().rows(); ++i) {
    for (T& value : result.view().row(i)) {
      value = std::abs(value);
    }
  }
  return result;
}

/// Rows of a packed Jacobian that no active unit has.
template <class T>
bool rows_behind_are(T value, const Operand<T>& jacobian, const Operand<T>& h) {
  const std::size_t units = h.view().cols();
  for (std::size_t s = 0; s < kSamples; ++s) {
    for (std::size_t row = active_units(h, s).size(); row < units; ++row) {
      for (const T found : jacobian.view().row(s * units + row)) {
        if (found != value) {
          return false;
        }
      }
    }
  }
  return true;
}

template <class T>
void fill(Operand<T>& operand, T value) {
  for (std::size_t i = 0; i < operand.view().rows(); ++i) {
    std::fill(operand.view().row(i).begin(), operand.view().row(i).end(), value);
  }
}

TEMPLATE_TEST_CASE("packed Jacobians: equal the reference, and leave the rest alone",
                   "[kernels][active]", float, double) {
  using T = TestType;
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<T>()) {
    for (const std::size_t below : kWidths) {
      for (const std::size_t units : {std::size_t{5}, std::size_t{200}}) {
        for (const std::size_t inputs : {std::size_t{1}, std::size_t{19}, std::size_t{64}}) {
          INFO(backend->name() << " " << backend->target() << " " << below << " " << units << " "
                               << inputs);
          const auto h_below = mixed_activity<T>(below, 1);
          const auto h = mixed_activity<T>(units, 2);
          const auto first = random_operand<T>(below, inputs, 3);
          const auto weights = random_operand<T>(units, below, 4);
          const auto factors = random_operand<T>(kSamples, inputs, 5);
          constexpr T kUntouched = 7;

          Operand<T> lower(kSamples * below, inputs);
          Operand<double> wanted_lower(kSamples * below, inputs);
          fill(lower, kUntouched);
          fill(wanted_lower, static_cast<double>(kUntouched));
          backend->first_active_jacobian(h_below, first, factors, lower, with);
          reference().first_active_jacobian(in_double(h_below), in_double(first),
                                            in_double(factors), wanted_lower, with);
          CHECK(outside<T>(lower.view(), wanted_lower.view(), [&](std::size_t r, std::size_t i) {
                  return gamma<T>(1) * std::abs(wanted_lower.view()(r, i));
                }) == 0);
          CHECK(rows_behind_are(kUntouched, lower, h_below));
          CHECK(lower.padding_is_untouched());

          Operand<T> upper(kSamples * units, inputs);
          Operand<double> wanted(kSamples * units, inputs);
          Operand<double> magnitude(kSamples * units, inputs);
          fill(upper, kUntouched);
          fill(wanted, static_cast<double>(kUntouched));
          const auto h_below2 = in_double(h_below);
          const auto h2 = in_double(h);
          const auto lower2 = in_double(lower);
          const auto weights2 = in_double(weights);
          backend->next_active_jacobian({h_below, h, weights}, lower, upper, with);
          reference().next_active_jacobian({h_below2, h2, weights2}, lower2, wanted, with);
          const auto weights_size = absolute(weights2);
          reference().next_active_jacobian({h_below2, h2, weights_size}, absolute(lower2),
                                           magnitude, with);
          CHECK(outside<T>(upper.view(), wanted.view(), [&](std::size_t r, std::size_t i) {
                  return gamma<T>(below) * magnitude.view()(r, i);
                }) == 0);
          CHECK(rows_behind_are(kUntouched, upper, h));
          CHECK(upper.padding_is_untouched());
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("packed Jacobians: sums equal the reference", "[kernels][active]", float,
                   double) {
  using T = TestType;
  Workspace workspace;
  const Execution with{1, workspace};
  for (const auto& backend : all_backends<T>()) {
    for (const std::size_t units : kWidths) {
      for (const std::size_t inputs : {std::size_t{3}, std::size_t{33}}) {
        const auto h = mixed_activity<T>(units, 1);
        const auto jacobian = random_operand<T>(kSamples * units, inputs, 2);
        const auto start = random_operand<T>(units, inputs, 3);
        const auto gains = random_operand<T>(kSamples, units, 4);
        const auto h2 = in_double(h);
        const auto gains2 = in_double(gains);
        const auto gains_size = absolute(gains2);
        for (const bool with_gains : {false, true}) {
          for (const bool of_sizes : {false, true}) {
            INFO(backend->name() << " " << backend->target() << " " << units << " " << inputs);
            const MatrixView<const T> given = with_gains ? gains.view() : MatrixView<const T>();
            const MatrixView<const double> given2 =
                with_gains ? std::as_const(gains2).view() : MatrixView<const double>();
            const MatrixView<const double> sizes2 =
                with_gains ? gains_size.view() : MatrixView<const double>();
            Operand<T> sums = start;
            Operand<double> wanted = in_double(start);
            Operand<double> magnitude = absolute(in_double(start));
            backend->accumulate_active_jacobian({h, given, T{-0.5}, of_sizes}, jacobian, sums,
                                                with);
            reference().accumulate_active_jacobian({h2, given2, -0.5, of_sizes},
                                                   in_double(jacobian), wanted, with);
            reference().accumulate_active_jacobian({h2, sizes2, 0.5, true},
                                                   absolute(in_double(jacobian)), magnitude, with);
            CHECK(outside<T>(sums.view(), wanted.view(), [&](std::size_t j, std::size_t i) {
                    return gamma<T>(kSamples + 3) * magnitude.view()(j, i);
                  }) == 0);
            CHECK(sums.padding_is_untouched());
          }
        }
      }
    }
  }
}

/// Rows of a sweep over six samples: some of a sample follow each other, one sample comes again.
struct Sweep {
  std::vector<std::uint32_t> sample;
  std::vector<std::uint32_t> unit;
};

Sweep sweep_of(std::size_t rows, std::size_t units) {
  Sweep sweep;
  for (std::size_t r = 0; r < rows; ++r) {
    sweep.sample.push_back(static_cast<std::uint32_t>(r < 3 ? 5 : (r - 3) * kSamples / rows));
    sweep.unit.push_back(static_cast<std::uint32_t>(r * 7 % units));
  }
  return sweep;
}

TEMPLATE_TEST_CASE("rank_one_products: equal the reference whatever was active",
                   "[kernels][active]", float, double) {
  using T = TestType;
  Workspace workspace;
  const Execution with{1, workspace};
  constexpr std::size_t kUnits = 11;
  constexpr std::size_t kRows = 250;
  const Sweep sweep = sweep_of(kRows, kUnits);
  const auto delta = random_vector<T>(kRows, 3);
  const auto delta2 = in_double(delta);
  std::vector<double> delta_size(delta2);
  for (double& value : delta_size) {
    value = std::abs(value);
  }
  for (const auto& backend : all_backends<T>()) {
    for (const std::size_t width : kWidths) {
      for (const std::size_t outputs :
           {std::size_t{1}, std::size_t{10}, std::size_t{16}, std::size_t{17}, std::size_t{130}}) {
        const auto z = mixed_activity<T>(width, 4);
        const auto columns = random_operand<T>(kUnits, width, 5);
        const auto next = random_operand<T>(width, outputs, 6);
        const auto bias = random_vector<T>(outputs, 7);
        const auto z2 = in_double(z);
        const auto columns2 = in_double(columns);
        const auto next2 = in_double(next);
        const auto bias2 = in_double(bias);
        const auto z_size = absolute(z2);
        const auto columns_size = absolute(columns2);
        const auto next_size = absolute(next2);
        std::vector<double> bias_size(bias2);
        for (double& value : bias_size) {
          value = std::abs(value);
        }
        Operand<double> magnitude(kRows, outputs);
        reference().rank_one_products({z_size, columns_size, next_size, bias_size, false},
                                      {sweep.sample, sweep.unit, delta_size}, magnitude, with);
        for (const bool relu : {false, true}) {
          INFO(backend->name() << " " << backend->target() << " " << width << " " << outputs);
          Operand<T> got(kRows, outputs);
          Operand<double> wanted(kRows, outputs);
          backend->rank_one_products({z, columns, next, bias, relu},
                                     {sweep.sample, sweep.unit, delta}, got, with);
          reference().rank_one_products({z2, columns2, next2, bias2, relu},
                                        {sweep.sample, sweep.unit, delta2}, wanted, with);
          CHECK(outside<T>(got.view(), wanted.view(), [&](std::size_t r, std::size_t c) {
                  return gamma<T>(width + 4) * magnitude.view()(r, c);
                }) == 0);
          CHECK(got.padding_is_untouched());
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("products over active units: one and two threads give the same bits",
                   "[kernels][active]", float, double) {
  using T = TestType;
  Workspace workspace;
  constexpr std::size_t kUnits = 230;
  constexpr std::size_t kInputs = 33;
  constexpr std::size_t kRows = 700;
  const auto h_below = mixed_activity<T>(kUnits, 1);
  const auto h = mixed_activity<T>(kUnits, 2);
  const auto first = random_operand<T>(kUnits, kInputs, 3);
  const auto weights = random_operand<T>(kUnits, kUnits, 4);
  const auto bias = random_vector<T>(kUnits, 5);
  const auto delta = random_vector<T>(kRows, 6);
  const Sweep sweep = sweep_of(kRows, kUnits);
  for (const auto& backend : all_backends<T>()) {
    const auto run = [&](int threads) {
      const Execution with{threads, workspace};
      std::vector<Operand<T>> results(4, Operand<T>(kSamples * kUnits, kInputs));
      backend->first_active_jacobian(h_below, first, {}, results[0], with);
      backend->next_active_jacobian({h_below, h, weights}, results[0], results[1], with);
      results[2] = Operand<T>(kUnits, kInputs);
      backend->accumulate_active_jacobian({h, h_below, T{0.5}, true}, results[1], results[2], with);
      results[3] = Operand<T>(kRows, kUnits);
      backend->rank_one_products({h, weights, weights, bias, true},
                                 {sweep.sample, sweep.unit, delta}, results[3], with);
      return results;
    };
    const auto one = run(1);
    const auto two = run(2);
    INFO(backend->name() << " " << backend->target());
    for (std::size_t i = 0; i < one.size(); ++i) {
      CHECK(testing::same_bits<T>(one[i], two[i]));
    }
  }
}

TEMPLATE_TEST_CASE("products over active units: misfits are contract violations",
                   "[kernels][active]", float, double) {
  using T = TestType;
  Workspace workspace;
  const Execution with{1, workspace};
  const Operand<T> h(2, 4);
  const Operand<T> below(2, 3);
  const Operand<T> weights(4, 3);
  const Operand<T> columns(4, 4);
  Operand<T> sums(4, 5);
  Operand<T> jacobian(8, 5);
  const std::vector<T> bias(3);
  const std::vector<T> delta(1);
  const std::vector<std::uint32_t> zero = {0};
  const std::vector<std::uint32_t> four = {4};
  Operand<T> out(1, 3);
  for (const auto& backend : all_backends<T>()) {
    CHECK_THROWS_AS(backend->first_active_jacobian(h, weights, {}, jacobian, with),
                    ContractViolation);
    CHECK_THROWS_AS(
        backend->next_active_jacobian({below, h, weights}, Operand<T>(7, 5), jacobian, with),
        ContractViolation);
    CHECK_THROWS_AS(backend->next_active_jacobian({below, h, Operand<T>(4, 4)}, Operand<T>(6, 5),
                                                  jacobian, with),
                    ContractViolation);
    CHECK_THROWS_AS(
        backend->accumulate_active_jacobian({h, below, T{1}, false}, jacobian, sums, with),
        ContractViolation);
    const RestartedLayers<T> layers{h, columns, weights, bias, true};
    CHECK_NOTHROW(backend->rank_one_products(layers, {zero, zero, delta}, out, with));
    CHECK_THROWS_AS(backend->rank_one_products(layers, {zero, four, delta}, out, with),
                    ContractViolation);
    CHECK_THROWS_AS(backend->rank_one_products(layers, {four, zero, delta}, out, with),
                    ContractViolation);
  }
}

}  // namespace
}  // namespace interpscale::kernels
