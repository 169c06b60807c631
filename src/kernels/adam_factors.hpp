// What an Adam step needs beyond its parameters, computed once a call.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "interpscale/core/require.hpp"
#include "interpscale/kernels/backend.hpp"

namespace interpscale::kernels {

template <class T>
struct AdamFactors {
  T rate;               ///< rate / (1 - beta1^t)
  T second_correction;  ///< 1 - beta2^t
};

/// In double: 1 - beta2^t cancels while t is small.
template <class T>
[[nodiscard]] AdamFactors<T> adam_factors(const AdamStep<T>& step) {
  require(step.step > 0, "Adam counts its steps from 1");
  const auto t = static_cast<double>(step.step);
  const double first_correction = 1.0 - std::pow(static_cast<double>(step.beta1), t);
  return {static_cast<T>(static_cast<double>(step.rate) / first_correction),
          static_cast<T>(1.0 - std::pow(static_cast<double>(step.beta2), t))};
}

}  // namespace interpscale::kernels
