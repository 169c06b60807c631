// Everything that can be timed, by problem: kernels, passes, training steps, and every variant of
// every method. The study and the stand-alone binary build their subjects here, so they time the
// very same functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interpscale/core/result.hpp"
#include "interpscale/kernels/gemm.hpp"
#include "interpscale/kernels/kernel_call.hpp"
#include "interpscale/measure/timed.hpp"
#include "interpscale/methods/spec.hpp"
#include "interpscale/nn/mlp.hpp"
#include "interpscale/nn/optimizer.hpp"

namespace interpscale::study {

/// How to run: recorded with every timing.
struct Setting {
  std::string backend = "simd";
  std::string simd_target;  ///< empty: the best
  int threads = 1;
  int path_steps = 32;                        ///< K
  int permutations = 25;                      ///< T
  kernels::CallRecorder* recorder = nullptr;  ///< is told of every kernel call; never timed with
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

/// Counts the active pairs by a forward pass of this build's default backend.
[[nodiscard]] Specimen make_specimen(nn::Mlp<float> network, Matrix<float> inputs,
                                     std::vector<std::uint32_t> labels);

/// A random network (He initialisation, non-zero biases) and random inputs; about half of the
/// units active.
[[nodiscard]] Specimen random_specimen(const nn::Topology& topology, std::size_t batch,
                                       std::uint64_t seed);

/// "forward", "backward", "training_step" (SGD with momentum), "training_step_adam".
[[nodiscard]] std::vector<std::string> pass_names();

/// What can be timed on one network: `subject` is a pass name with variant "", or a method's name
/// with a variant's. `active_pairs` may be empty before the network exists: the declared cost is
/// then the dense one. Where there is a `problem`, the cost is that of all the data decide.
struct CellRequest {
  std::string subject;
  std::string variant;
  nn::Topology topology;
  std::size_t batch = 0;
  std::vector<std::uint64_t> active_pairs;
  std::optional<methods::Problem> problem = {};

  /// The same request with the problem that a specimen poses under a setting, with the donors that
  /// subjects are given: counted by passes of this build's default backend.
  [[nodiscard]] CellRequest on(const Specimen& specimen, const Setting& setting) const;
};

/// The subject named `pass/subject/d:../w:../L:../C:../B:../t:../backend:..` or
/// `method/subject/variant/d:../...`, w the common hidden width (or widths joined by 'x'), followed
/// by `phi:`, `target:` and `K:` where they are not the default; an error for an unknown subject or
/// variant. `specimen` may be empty where the subject is never prepared.
///
/// What `verify` compares: a pass, with the `reference` backend in double precision; a method, with
/// its own reference. Both on as many of the batch's samples as a fixed budget of FLOPs allows.
/// Where one sample of an exhaustive reference is beyond a second, larger budget, the method is
/// compared with another variant or another backend. Where a ReLU is at its kink, rounding decides
/// its slope: if values differ, other samples of the batch are taken, on which every unit keeps its
/// distance. `Verification::compared` says which.
[[nodiscard]] Result<measure::Subject> make_subject(const CellRequest& request,
                                                    const Setting& setting,
                                                    SpecimenSource specimen);

/// The same for a method that need not be registered. The donor of a sample is the next sample of
/// the batch (of a single one, its mirror image -x); the baseline is zeros.
[[nodiscard]] Result<measure::Subject> make_method_subject(const methods::MethodSpec& method,
                                                           const CellRequest& request,
                                                           const Setting& setting,
                                                           SpecimenSource specimen);

/// The slow-down that this build plants in a method on purpose (the CMake option INTERPSCALE_PLANT,
/// for trials of the regression detector); empty in every other build.
[[nodiscard]] std::string_view planted();

/// A matrix product at one shape, for the stand-alone binary and the time model: names
/// "kernel/gemm/nt/m:../n:../k:../t:../backend:..".
[[nodiscard]] measure::Subject gemm_subject(kernels::GemmCase which, kernels::GemmShape shape,
                                            const Setting& setting);
/// The update of `count` parameters by SGD with momentum or by Adam: "kernel/update/sgd/n:../...".
[[nodiscard]] measure::Subject update_subject(nn::OptimizerKind kind, std::size_t count,
                                              const Setting& setting);

}  // namespace interpscale::study
