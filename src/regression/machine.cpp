// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "interpscale/core/require.hpp"
#include "interpscale/regression/compare.hpp"

namespace interpscale::regression {
namespace {

std::string differing(std::string_view what, const std::string& base,
                      const std::string& candidate) {
  if (base.empty() || candidate.empty() || base == candidate) {
    return "";
  }
  return fmt::format("{}: {} in the base, {} in the candidate", what, base, candidate);
}

std::string text_of(int number) {
  return number > 0 ? fmt::format("{}", number) : "";
}

}  // namespace

std::string_view name_of(Metric metric) {
  switch (metric) {
    case Metric::kTime:
      return "time";
    case Metric::kInstructions:
      return "instructions";
  }
  require(false, "an unknown metric");
  return {};
}

std::string difference_of(const Machine& base, const Machine& candidate) {
  const bool knows_cpus = !base.cpu.empty() && !candidate.cpu.empty();
  for (const std::string& difference :
       {differing("CPU", base.cpu, candidate.cpu),
        differing("cores", text_of(base.cores), text_of(candidate.cores)),
        differing("SIMD target", base.simd_target, candidate.simd_target),
        differing("backend", base.backend, candidate.backend),
        differing("threads", text_of(base.threads), text_of(candidate.threads)),
        knows_cpus ? "" : differing("host", base.host, candidate.host)}) {
    if (!difference.empty()) {
      return difference;
    }
  }
  return "";
}

}  // namespace interpscale::regression
