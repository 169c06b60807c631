// What this build was made from; defined in a source that cmake/build_info.cmake generates.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace interpscale::measure {

/// Static strings; an empty one stands for what the build did not know.
struct BuildInfo {
  const char* compiler;
  const char* flags;
  const char* build_type;
  const char* benchmark_version;  ///< of Google Benchmark's package
  const char* revision;
  bool dirty;
  const char* version;
};

[[nodiscard]] BuildInfo build_info();

}  // namespace interpscale::measure
