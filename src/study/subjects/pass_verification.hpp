// Passes held against the `reference` backend in double precision.
//
// A unit whose pre-activation is within rounding of zero is on in one precision and off in the
// other, and its gradients jump with it. So a backward pass is compared on the activations that the
// timed forward pass left behind, and that pass is compared for itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "interpscale/nn/optimizer.hpp"
#include "interpscale/nn/tape.hpp"
#include "study/subjects/comparison.hpp"
#include "study/subjects/runtime.hpp"

namespace interpscale::study {

/// The learning rate of timed training steps. All the arithmetic of a step is done, but an update
/// of 1e-20 velocities is below half a unit in the last place of any weight that is not itself of
/// the order of 1e-13 velocities: the weights, hence gradients and activity, stay what they are
/// however often the step is repeated. (Small enough for that, and large enough that the product of
/// rate and velocity is no denormal number.)
inline constexpr double kStandingRate = 1e-20;

/// Activations and logits of the first samples of `tape`, which holds a pass over the specimen.
[[nodiscard]] Result<measure::Verification> verify_forward(const std::string& subject,
                                                           const Specimen& specimen,
                                                           const nn::Tape<float>& tape);

/// Weight gradients of the first samples: runs a backward pass over these alone.
[[nodiscard]] Result<measure::Verification> verify_backward(const std::string& subject,
                                                            const Specimen& specimen,
                                                            const nn::Tape<float>& tape,
                                                            const kernels::Context<float>& context);

/// Loss, gradients and updated weights of one step at an ordinary learning rate on the first
/// samples.
[[nodiscard]] Result<measure::Verification> verify_training_step(
    const std::string& subject, const Specimen& specimen, nn::OptimizerKind kind,
    const kernels::Context<float>& context);

/// An error if a network that took steps at kStandingRate has moved from the specimen's.
[[nodiscard]] Result<void> verify_standing(const std::string& subject,
                                           const nn::Mlp<float>& network, const Specimen& specimen);

}  // namespace interpscale::study
