// From a target's bit to its place in Highway's dispatch tables, without Highway's global choice:
// two backends with different instruction sets can live side by side. SPDX-License-Identifier:
// Apache-2.0
#pragma once

#include <hwy/highway.h>

#include <cstddef>

#include "kernels/simd/kernel_table.hpp"

namespace interpscale::kernels::simd {

/// Calls the entry for `target` of a table that HWY_EXPORT made.
template <class Function, std::size_t kEntries, class Kernels>
void call_for(TargetBit target, Function* const (&table)[kEntries], Kernels& kernels) {
  if constexpr (kEntries == 1) {
    table[0](kernels);
  } else {
    hwy::ChosenTarget chosen;
    chosen.Update(target);
    table[chosen.GetIndex()](kernels);
  }
}

}  // namespace interpscale::kernels::simd

/// Defines `select` for KERNELS<float> and KERNELS<double>, a table of kernels that `fill_float`
/// and `fill_double` fill in the namespace of each target.
#define INTERPSCALE_SELECT(KERNELS)                             \
  HWY_EXPORT(fill_float);                                       \
  HWY_EXPORT(fill_double);                                      \
  void select(TargetBit target, KERNELS<float>& kernels) {      \
    call_for(target, HWY_DISPATCH_TABLE(fill_float), kernels);  \
  }                                                             \
  void select(TargetBit target, KERNELS<double>& kernels) {     \
    call_for(target, HWY_DISPATCH_TABLE(fill_double), kernels); \
  }
