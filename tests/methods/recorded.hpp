// The recorded network of tests/data (its README has the conventions), and a method held against
// recorded values: its reference in double precision, every variant on every float backend.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "methods/specimen.hpp"
#include "support/catch.hpp"
#include "support/reference_values.hpp"

namespace interpscale::testing {

/// References repeat the library's double arithmetic in another order.
inline constexpr double kDoubleAgreement = 1e-10;
/// Float variants: three layers forward and back, sums of up to 16 x 32 terms, 2e-5 is 340 epsilon.
inline constexpr double kFloatAgreement = 2e-5;

[[nodiscard]] inline methods::MethodSpec method_named(const std::string& name) {
  for (methods::MethodSpec& method : methods::all_methods()) {
    if (method.name == name) {
      return method;
    }
  }
  throw std::runtime_error("no method " + name);
}

/// The recorded network and batch, in both precisions.
struct Recorded {
  ReferenceValues values;
  nn::Mlp<double> network = values.network();
  nn::Mlp<float> network_float = nn::convert<float>(network);
  Matrix<double> inputs = values.inputs();
  Matrix<float> inputs_float{inputs.rows(), inputs.cols()};
  std::vector<std::uint32_t> labels = values.labels();
  nn::Tape<double> tape{network.topology, inputs.rows()};
  nn::Tape<float> tape_float{network.topology, inputs.rows()};

  /// Counterfactual inputs: the next example's. Not recorded: a method that reads them is held
  /// against recorded values by a conversion.
  Matrix<double> donor{inputs.rows(), inputs.cols()};
  Matrix<float> donor_float{inputs.rows(), inputs.cols()};

  Recorded() {
    copy(inputs.view(), inputs_float.view());
    for (std::size_t b = 0; b < inputs.rows(); ++b) {
      const std::span<const double> other = inputs.view().row((b + 1) % inputs.rows());
      std::copy(other.begin(), other.end(), donor.row(b).begin());
    }
    copy(donor.view(), donor_float.view());
  }

  [[nodiscard]] methods::Probe<double> probe(const methods::MethodOptions& options) {
    return {network, inputs, labels, {}, donor, options, tape};
  }
  [[nodiscard]] methods::Probe<float> probe_float(const methods::MethodOptions& options) {
    return {network_float, inputs_float, labels, {}, donor_float, options, tape_float};
  }
};

[[nodiscard]] inline double largest(const Matrix<double>& values) {
  double found = 0.0;
  for (std::size_t i = 0; i < values.rows(); ++i) {
    for (const double value : values.row(i)) {
      found = std::max(found, std::abs(value));
    }
  }
  return found;
}

/// The largest deviation, relative to the largest expected value; infinity where a value is NaN.
template <class T>
[[nodiscard]] double deviation(const Matrix<T>& computed, const Matrix<double>& expected) {
  double worst = 0.0;
  for (std::size_t i = 0; i < expected.rows(); ++i) {
    for (std::size_t j = 0; j < expected.cols(); ++j) {
      const double difference = std::abs(static_cast<double>(computed(i, j)) - expected(i, j));
      worst = std::isfinite(difference) ? std::max(worst, difference) : HUGE_VAL;
    }
  }
  return worst / largest(expected);
}

/// Reference and variants of a method against expected [n, columns].
inline void check(const std::string& name, Recorded& recorded,
                  const methods::MethodOptions& options, const Matrix<double>& expected) {
  const methods::MethodSpec method = method_named(name);
  const auto backend = kernels::make_backend<double>("reference").value();
  Workspace workspace;
  Matrix<double> exact(expected.rows(), expected.cols());
  method.reference(recorded.probe(options), {*backend, 1, workspace}, exact);
  INFO(name);
  CHECK(deviation(exact, expected) <= kDoubleAgreement);
  for (const std::string& backend_name : kernels::backend_names<float>()) {
    const Bench bench(backend_name);
    for (const methods::Variant& variant : method.variants) {
      INFO(variant.name << " on " << backend_name);
      Matrix<float> computed(expected.rows(), expected.cols());
      variant.run(recorded.probe_float(options), bench.context(), computed);
      CHECK(deviation(computed, expected) <= kFloatAgreement);
    }
  }
}

/// A field [l][example][neuron] as [n, B].
[[nodiscard]] inline Matrix<double> neurons_by_samples(const Recorded& recorded,
                                                       const std::string& field) {
  const nn::Topology topology = recorded.network.topology;
  Matrix<double> rows(topology.neurons(), recorded.inputs.rows());
  std::size_t row = 0;
  for (std::size_t layer = 0; layer < topology.hidden.size(); ++layer) {
    const Matrix<double> values = recorded.values.matrix(field, layer);
    for (std::size_t j = 0; j < topology.hidden[layer]; ++j, ++row) {
      for (std::size_t b = 0; b < rows.cols(); ++b) {
        rows(row, b) = values(b, j);
      }
    }
  }
  return rows;
}

}  // namespace interpscale::testing
