// Holding a timed variant against its method's definition: done before anything is timed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "interpscale/methods/spec.hpp"

namespace interpscale::methods {

/// A probe's network and batch again in double precision, for references and identities.
class DoubleSpecimen {
 public:
  explicit DoubleSpecimen(const Probe<float>& probe);

  [[nodiscard]] const Probe<double>& probe() const { return probe_; }
  [[nodiscard]] const kernels::Context<double>& context() const { return context_; }

 private:
  nn::Mlp<double> network_;
  Matrix<double> inputs_;
  Matrix<double> baseline_;
  Matrix<double> donor_;
  Matrix<double> dataset_;
  nn::Tape<double> tape_;
  std::unique_ptr<kernels::Backend<double>> backend_;
  Workspace workspace_;
  Probe<double> probe_;
  kernels::Context<double> context_;
};

/// How far a ReLU network stays from its kinks on sample b: the smallest |z_l[j]| over hidden
/// units, path nodes (k/K and the K Gauss-Legendre nodes) and the sample's donor, in double
/// precision. Where it is within rounding of zero, a float variant may find the unit on the other
/// side, and a slope is off by one, not by rounding: verification wants samples that keep their
/// distance. Infinity for smooth units.
[[nodiscard]] double kink_distance(const Probe<double>& probe, std::size_t b);
/// The smallest over the batch and the data set.
[[nodiscard]] double kink_distance(const Probe<double>& probe);

/// Values of order one carry errors of some 1e-6 after a few layers: farther than this from a
/// decision, rounding does not make it.
inline constexpr double kRowClearance = 1e-5;

/// Of rows that come within `least` of a decision which rounding may make otherwise (see
/// MethodSpec::clearance), exact := found: they are not compared.
void set_aside_unclear_rows(const MethodSpec& method, const Probe<double>& probe, double least,
                            MatrixView<const float> found, MatrixView<double> exact);

struct Verification {
  double deviation = 0;  ///< largest |variant - reference|; infinity if a value is not finite
  double allowed = 0;    ///< the method's tolerance
  [[nodiscard]] bool passed() const { return deviation <= allowed; }
};

/// By the method's own measure, or |found - reference| value by value; infinity if a value is not
/// finite.
[[nodiscard]] double largest_deviation(const MethodSpec& method, MatrixView<const float> found,
                                       MatrixView<const double> reference_values);

/// Runs the method's reference and the variant on the same probe; unclear rows are set aside. Costs
/// what the reference costs: meant for small problems.
[[nodiscard]] Verification verify(const MethodSpec& method, const Variant& variant,
                                  const Probe<float>& probe,
                                  const kernels::Context<float>& context);

}  // namespace interpscale::methods
