// Everything that can be timed, by problem: kernels, passes, training steps, and every variant of
// every method. The study and the stand-alone binary build their subjects here, so they time the
// very same functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/measure/timed.hpp"
#include "interpscale/methods/spec.hpp"
#include "interpscale/nn/mlp.hpp"

namespace interpscale::study {

/// How to run: recorded with every timing.
struct Setting {
  std::string backend = "simd";
  std::string simd_target;  ///< empty: the best
  int threads = 1;
  int path_steps = 32;  ///< K
};

/// A network and a batch to time things on; shared by all subjects of one problem.
struct Specimen {
  nn::Mlp<float> network;
  Matrix<float> inputs;               ///< [B, d]
  std::vector<std::uint32_t> labels;  ///< [B]
  /// Per hidden layer: (sample, neuron) pairs with h > 0 on this batch.
  std::vector<std::uint64_t> active_pairs;
};

/// Finds or makes the specimen when a subject is prepared.
using SpecimenSource = std::function<Result<std::shared_ptr<const Specimen>>()>;

/// A random network (He initialisation, non-zero biases) and random inputs; about half of the
/// units active.
[[nodiscard]] Specimen random_specimen(const nn::Topology& topology, std::size_t batch,
                                       std::uint64_t seed);

/// "forward", "backward", "training_step" (SGD with momentum), "training_step_adam".
[[nodiscard]] std::vector<std::string> pass_names();

/// What can be timed on one network: `subject` is a pass name with variant "", or a method's name
/// with a variant's. `active_pairs` may be empty before the network exists: the declared cost is
/// then the dense one.
struct CellRequest {
  std::string subject;
  std::string variant;
  nn::Topology topology;
  std::size_t batch = 0;
  std::vector<std::uint64_t> active_pairs;
};

/// The subject named `area/subject/variant/d:../w:../L:../C:../B:../t:../backend:..`, w the common
/// hidden width (or widths joined by 'x'), or an error for an unknown subject or variant.
[[nodiscard]] Result<measure::Subject> make_subject(const CellRequest& request,
                                                    const Setting& setting,
                                                    SpecimenSource specimen);

/// A matrix product or an element-wise kernel at one shape, for the stand-alone binary and the time
/// model: names "kernel/gemm/nt/m:../n:../k:../...".
[[nodiscard]] measure::Subject gemm_subject(kernels::GemmCase which, kernels::GemmShape shape,
                                            const Setting& setting);

}  // namespace interpscale::study
