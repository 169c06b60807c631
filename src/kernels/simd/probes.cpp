// The machine's limits, on one thread: FMAs without memory, and reading without arithmetic to speak
// of. Also the list of targets, which these tables know.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/kernels/probes.hpp"

#include "kernels/simd/disabled_targets.hpp"
#include "kernels/simd/kernel_table.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/probes.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which sets the target.
#include <hwy/highway.h>

#include "kernels/simd/strips-inl.h"
#include "kernels/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace interpscale::kernels::simd {
namespace HWY_NAMESPACE {

// Latency 4 to 5 times two pipes: ten chains are enough, and twelve and two factors fit 16
// registers.
constexpr std::size_t kChains = 12;
constexpr std::size_t kStepsPerRepeat = 16;

float fma(std::uint64_t repeats) {
  const Tag<float> d;
  Vector<float> chains[kChains];
  unroll<kChains>([&](auto i) HWY_ATTR { chains[i] = hn::Set(d, static_cast<float>(i)); });
  // x -> x / 2 + 1 stays near 2, neither overflowing nor denormal.
  const Vector<float> half = hn::Set(d, 0.5F);
  const Vector<float> one = hn::Set(d, 1.0F);
  for (std::uint64_t repeat = 0; repeat < repeats; ++repeat) {
    unroll<kStepsPerRepeat>([&](auto) HWY_ATTR {
      unroll<kChains>([&](auto i) HWY_ATTR { chains[i] = hn::MulAdd(chains[i], half, one); });
    });
  }
  Vector<float> sum = hn::Zero(d);
  unroll<kChains>([&](auto i) HWY_ATTR { sum = hn::Add(sum, chains[i]); });
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

float read(std::span<const float> data) {
  const Tag<float> d;
  constexpr std::size_t kStep = kStripVectors * kLanes<float>;
  Strip<float, kStripVectors, Whole> strip{};
  strip.clear();
  const auto same = [](Vector<float> x) HWY_ATTR { return x; };
  std::size_t i = 0;
  for (; i + kStep <= data.size(); i += kStep) {
    strip.add(data.data() + i, same);
  }
  Vector<float> sum = hn::Zero(d);
  strip.finish([&](std::size_t, Vector<float> part, auto) HWY_ATTR { sum = hn::Add(sum, part); });
  for_vectors<float>(data.size() - i, [&](std::size_t j, auto place) HWY_ATTR {
    sum = hn::Add(sum, place.load(data.data() + i + j));
  });
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

void fill(ProbeKernels& kernels) {
  kernels = {fma, 2 * kChains * kStepsPerRepeat * kLanes<float>, read};
}

}  // namespace HWY_NAMESPACE
}  // namespace interpscale::kernels::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/simd/dispatch.hpp"

namespace interpscale::kernels::simd {

HWY_EXPORT(fill);

void select(TargetBit target, ProbeKernels& kernels) {
  call_for(target, HWY_DISPATCH_TABLE(fill), kernels);
}

std::vector<TargetBit> available_targets() {
  return hwy::SupportedAndGeneratedTargets();
}

std::string target_name(TargetBit target) {
  return hwy::TargetName(target);
}

}  // namespace interpscale::kernels::simd
#endif
