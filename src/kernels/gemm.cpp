// SPDX-License-Identifier: Apache-2.0
#include "interpscale/kernels/gemm.hpp"

namespace interpscale::kernels {

std::string_view name_of(GemmCase which) {
  switch (which) {
    case GemmCase::kNT:
      return "nt";
    case GemmCase::kNN:
      return "nn";
    case GemmCase::kTN:
      return "tn";
  }
  contract_violated("unknown product", CallSite::here());
}

}  // namespace interpscale::kernels
