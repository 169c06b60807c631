// The units' non-linearities. Their slopes are functions of the activation h alone, so a backward
// pass needs no pre-activations.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "interpscale/core/result.hpp"

namespace interpscale::kernels {

/// h = phi(z). Slopes: relu [h > 0] (0 at 0); softplus 1 - exp(-h); tanh 1 - h^2.
enum class Activation { kRelu, kSoftplus, kTanh };

[[nodiscard]] std::string_view name_of(Activation activation);
/// "relu", "softplus" or "tanh".
[[nodiscard]] Result<Activation> parse_activation(std::string_view name);

}  // namespace interpscale::kernels
