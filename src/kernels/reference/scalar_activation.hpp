// phi and phi' of one number.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "interpscale/kernels/activation.hpp"

namespace interpscale::kernels {

template <class T>
[[nodiscard]] T scalar_activation(Activation phi, T z) {
  switch (phi) {
    case Activation::kRelu:
      return std::max(z, T{0});
    case Activation::kSoftplus:
      // log(1 + exp(z)), without overflow and without losing exp(z) beside 1.
      return std::max(z, T{0}) + std::log1p(std::exp(-std::abs(z)));
    case Activation::kTanh:
      return std::tanh(z);
  }
  return z;
}

/// phi'(z), from h = phi(z).
template <class T>
[[nodiscard]] T scalar_slope(Activation phi, T h) {
  switch (phi) {
    case Activation::kRelu:
      return h > T{0} ? T{1} : T{0};
    case Activation::kSoftplus:
      return -std::expm1(-h);
    case Activation::kTanh:
      return T{1} - h * h;
  }
  return T{1};
}

}  // namespace interpscale::kernels
