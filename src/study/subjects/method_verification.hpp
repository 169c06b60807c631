// A method's variant held against the method's definition, as far as that can be afforded.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "interpscale/methods/spec.hpp"
#include "study/subjects/comparison.hpp"
#include "study/subjects/runtime.hpp"

namespace interpscale::study {

/// A variant as it is timed.
struct MethodRun {
  std::string subject;
  methods::MethodSpec method;
  methods::Variant variant;
  methods::MethodOptions options;
};

/// Counterfactual inputs from the batch itself: sample b's donor is sample b + 1; that of a single
/// sample its mirror image -x.
[[nodiscard]] Matrix<float> donor_of(const Matrix<float>& inputs);

/// `timed` [n, columns] is what the variant computed on the whole batch, in `context`; it must be
/// finite. The variant is run again on as many samples as the method's reference can be asked for
/// and compared with that; where one sample is too many FLOPs for the reference, with another
/// variant, or with the same one on the `reference` backend. Where that fails, the comparison is
/// repeated on samples of the batch on which no ReLU is within rounding of its kink, if there are
/// any: it must hold there. A method whose cost is per neuron, whatever the batch, is asked for the
/// first few neurons of each layer instead.
[[nodiscard]] Result<measure::Verification> verify_method(const MethodRun& whole,
                                                          const Specimen& specimen,
                                                          MatrixView<const float> timed,
                                                          const kernels::Context<float>& context);

}  // namespace interpscale::study
