// SPDX-License-Identifier: Apache-2.0
#include "interpscale/methods/verification.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "interpscale/kernels/make_backend.hpp"
#include "methods/engine/plain.hpp"
#include "methods/engine/quadrature.hpp"

namespace interpscale::methods {
namespace {

Matrix<double> in_double(MatrixView<const float> source) {
  Matrix<double> target(source.rows(), source.cols());
  copy(source, target.view());
  return target;
}

std::unique_ptr<kernels::Backend<double>> reference_backend() {
  auto backend = kernels::make_backend<double>("reference");
  require(backend.has_value(), "the reference backend is missing from this build");
  return std::move(*backend);
}

/// Where methods look at a path: k / K for k = 0 ... K, and the K Gauss-Legendre nodes.
std::vector<double> path_positions(const MethodOptions& options) {
  const std::size_t steps = engine::path_steps(options);
  std::vector<double> positions(steps);
  std::vector<double> weights(steps);
  engine::gauss_legendre(positions, weights);
  for (std::size_t k = 0; k <= steps; ++k) {
    positions.push_back(static_cast<double>(k) / static_cast<double>(steps));
  }
  return positions;
}

/// The smallest |z| among the hidden units at x.
double smallest_unit(const nn::Mlp<double>& network, std::span<const double> x) {
  double smallest = std::numeric_limits<double>::infinity();
  for (const std::vector<double>& layer : engine::plain_forward(network, x).z) {
    for (const double z : layer) {
      smallest = std::fmin(smallest, std::abs(z));
    }
  }
  return smallest;
}

}  // namespace

DoubleSpecimen::DoubleSpecimen(const Probe<float>& probe)
    : network_(nn::convert<double>(probe.network)),
      inputs_(in_double(probe.inputs)),
      baseline_(in_double(probe.baseline)),
      donor_(in_double(probe.donor)),
      dataset_(in_double(probe.dataset)),
      tape_(network_.topology, probe.inputs.rows()),
      backend_(reference_backend()),
      probe_{network_,      inputs_, probe.labels, baseline_,           donor_,
             probe.options, tape_,   dataset_,     probe.dataset_labels},
      context_(*backend_, 1, workspace_) {}

double kink_distance(const Probe<double>& probe, std::size_t b) {
  double smallest = std::numeric_limits<double>::infinity();
  if (probe.network.topology.activation != kernels::Activation::kRelu) {
    return smallest;
  }
  for (const double t : path_positions(probe.options)) {
    smallest =
        std::fmin(smallest, smallest_unit(probe.network, engine::plain_path_point(probe, b, t)));
  }
  if (!probe.donor.empty()) {
    smallest = std::fmin(smallest, smallest_unit(probe.network, probe.donor.row(b)));
  }
  return smallest;
}

double kink_distance(const Probe<double>& probe) {
  double smallest = std::numeric_limits<double>::infinity();
  if (probe.network.topology.activation != kernels::Activation::kRelu) {
    return smallest;
  }
  for (std::size_t b = 0; b < probe.inputs.rows(); ++b) {
    smallest = std::fmin(smallest, kink_distance(probe, b));
  }
  for (std::size_t b = 0; b < probe.dataset.rows(); ++b) {
    smallest = std::fmin(smallest, smallest_unit(probe.network, probe.dataset.row(b)));
  }
  return smallest;
}

double largest_deviation(const MethodSpec& method, MatrixView<const float> found,
                         MatrixView<const double> reference_values) {
  double largest = 0.0;
  bool finite = true;
  for (std::size_t i = 0; i < found.rows(); ++i) {
    for (std::size_t j = 0; j < found.cols(); ++j) {
      const double deviation = std::abs(static_cast<double>(found(i, j)) - reference_values(i, j));
      finite = finite && std::isfinite(deviation);
      largest = std::fmax(largest, deviation);
    }
  }
  if (!finite) {
    return std::numeric_limits<double>::infinity();
  }
  return method.deviation ? method.deviation(in_double(found), reference_values) : largest;
}

void set_aside_unclear_rows(const MethodSpec& method, const Probe<double>& probe, double least,
                            MatrixView<const float> found, MatrixView<double> exact) {
  if (!method.clearance) {
    return;
  }
  const std::vector<double> clearance = method.clearance(probe);
  require(clearance.size() == exact.rows(), "clearance: not one a row");
  for (std::size_t row = 0; row < exact.rows(); ++row) {
    if (!(clearance[row] > least)) {
      std::copy(found.row(row).begin(), found.row(row).end(), exact.row(row).begin());
    }
  }
}

Verification verify(const MethodSpec& method, const Variant& variant, const Probe<float>& probe,
                    const kernels::Context<float>& context) {
  const Problem problem = problem_of(probe, context);
  const std::size_t rows = method.rows(problem);
  const std::size_t columns = method.column_count(problem);
  const DoubleSpecimen specimen(probe);
  Matrix<double> expected(rows, columns);
  method.reference(specimen.probe(), specimen.context(), expected);
  Matrix<float> computed(rows, columns);
  variant.run(probe, context, computed);
  set_aside_unclear_rows(method, specimen.probe(), kRowClearance, computed, expected);
  return {largest_deviation(method, computed, expected), method.tolerance(problem, expected)};
}

}  // namespace interpscale::methods
