// Which instruction sets are not compiled. Every file that uses Highway includes this before it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

// SSSE3 without SSE4 is as slow as SSE4 and rare. Vectors of unknown length (SVE, RVV) cannot be
// held in arrays, which the register tiles need; such machines run the NEON or scalar code.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
