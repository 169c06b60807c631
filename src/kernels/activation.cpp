// SPDX-License-Identifier: Apache-2.0
#include "interpscale/kernels/activation.hpp"

#include <array>

#include "interpscale/core/require.hpp"

namespace interpscale::kernels {
namespace {

constexpr std::array kActivations = {Activation::kRelu, Activation::kSoftplus, Activation::kTanh};

}  // namespace

std::string_view name_of(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return "relu";
    case Activation::kSoftplus:
      return "softplus";
    case Activation::kTanh:
      return "tanh";
  }
  contract_violated("an activation outside its enumeration", CallSite::here());
}

Result<Activation> parse_activation(std::string_view name) {
  for (const Activation activation : kActivations) {
    if (name == name_of(activation)) {
      return activation;
    }
  }
  return fail("activation: found '{}', wanted relu, softplus or tanh", name);
}

}  // namespace interpscale::kernels
