// Instruction sets by name, and the probes, which choose theirs at every call.
// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/targets.hpp"

#include <fmt/ranges.h>

#include "interpscale/core/require.hpp"
#include "interpscale/kernels/make_backend.hpp"
#include "interpscale/kernels/probes.hpp"

namespace interpscale::kernels {
namespace simd {

Result<TargetBit> find_target(std::string_view name) {
  const std::vector<TargetBit> targets = available_targets();
  if (name.empty()) {
    return targets.front();
  }
  for (const TargetBit target : targets) {
    if (target_name(target) == name) {
      return target;
    }
  }
  return fail("simd target: found '{}', wanted one of {} (what this build and machine have)", name,
              fmt::join(simd_targets(), ", "));
}

namespace {

ProbeKernels find_probe_kernels(std::string_view target_name) {
  const Result<TargetBit> target = find_target(target_name);
  require(target.has_value(), "a probe for an instruction set that simd_targets() does not list");
  ProbeKernels kernels{};
  select(*target, kernels);
  return kernels;
}

/// The best target's probes are looked up once: asking the processor what it can do takes some 15
/// microseconds on a virtual machine, as long as reading a first-level cache hundreds of times.
ProbeKernels probe_kernels(std::string_view target_name) {
  static const ProbeKernels best = find_probe_kernels("");
  return target_name.empty() ? best : find_probe_kernels(target_name);
}

}  // namespace
}  // namespace simd

std::vector<std::string> simd_targets() {
  std::vector<std::string> names;
  for (const simd::TargetBit target : simd::available_targets()) {
    names.push_back(simd::target_name(target));
  }
  return names;
}

float fma_probe(std::uint64_t repeats, std::string_view simd_target) {
  return simd::probe_kernels(simd_target).fma(repeats);
}

std::uint64_t fma_probe_flops_per_repeat(std::string_view simd_target) {
  return simd::probe_kernels(simd_target).fma_flops_per_repeat;
}

float read_probe(std::span<const float> data, std::uint64_t repeats) {
  const simd::ProbeKernels kernels = simd::probe_kernels("");
  float sum = 0.0F;
  for (std::uint64_t i = 0; i < repeats; ++i) {
    sum += kernels.read(data);
  }
  return sum;
}

}  // namespace interpscale::kernels
