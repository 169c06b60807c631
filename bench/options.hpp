// The flags of interpscale_bench that are its own; all others go to Google Benchmark.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "interpscale/study/subjects.hpp"

namespace interpscale::bench {

/// How many of the networks' ReLU units are active: about half of them, as drawn, or all or none,
/// by their biases.
enum class Activity { kHalf, kAll, kNone };

struct Options {
  study::Setting setting;
  std::size_t batch = 128;
  std::vector<std::size_t> widths = {64, 256, 1024};  ///< of the networks and of the kernels
  std::vector<std::size_t> depths = {1, 3};           ///< hidden layers
  std::size_t inputs = 784;
  Activity activity = Activity::kHalf;
  bool serve = false;        ///< answers requests instead (serve.hpp)
  double most_flops = 2e10;  ///< subjects that declare more for one run are left out
  std::vector<std::string> benchmark_flags;  ///< as given

  /// True if `--<name>` or `--<name>=true` is among Google Benchmark's flags.
  [[nodiscard]] bool has_flag(const std::string& name) const;
  /// The value of the last `--<name>=value`; empty if there is none.
  [[nodiscard]] std::string flag(const std::string& name) const;
};

/// The options, or the exit status where there is nothing more to do (help, or a mistake, both of
/// which have been printed).
[[nodiscard]] std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace interpscale::bench
