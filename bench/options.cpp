// SPDX-License-Identifier: Apache-2.0
#include "bench/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>

#include "interpscale/kernels/make_backend.hpp"

namespace interpscale::bench {

bool Options::has_flag(const std::string& name) const {
  for (const std::string& text : benchmark_flags) {
    if (text == "--" + name || text == "--" + name + "=true") {
      return true;
    }
  }
  return false;
}

std::string Options::flag(const std::string& name) const {
  const std::string prefix = "--" + name + "=";
  std::string value;
  for (const std::string& text : benchmark_flags) {
    if (text.starts_with(prefix)) {
      value = text.substr(prefix.size());
    }
  }
  return value;
}

std::variant<Options, int> parse_options(int argc, char** argv) {
  constexpr int kUsageError = 2;
  Options options;
  CLI::App app(
      "Times kernels, passes, training steps and every analysis method, each verified "
      "first. Exits with 1 if one of them failed.",
      "interpscale_bench");
  app.footer(
      "All flags of Google Benchmark are passed on: --benchmark_filter=REGEX, "
      "--benchmark_format=json, --benchmark_out=FILE, --benchmark_list_tests, ...");
  app.allow_extras();
  app.add_option("--backend", options.setting.backend, "Arithmetic to time")->capture_default_str();
  app.add_option("--simd-target", options.setting.simd_target,
                 "Instruction set of backend simd (default: the best here)");
  app.add_option("--threads", options.setting.threads, "OpenMP threads")->capture_default_str();
  app.add_option("--batch", options.batch, "Samples a batch")->capture_default_str();
  app.add_option("--widths", options.widths, "Units of each hidden layer")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--depths", options.depths, "Hidden layers")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--inputs", options.inputs, "Inputs of the networks")->capture_default_str();
  app.add_option("--activity", options.activity,
                 "ReLU units that are active: half, all or none of them")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Activity>{
          {"half", Activity::kHalf}, {"all", Activity::kAll}, {"none", Activity::kNone}}))
      ->default_str("half");
  app.add_flag("--serve", options.serve, "Answer the requests of `interpscale compare`");
  app.add_option("--most-flops", options.most_flops,
                 "Leave out what declares more floating-point operations for one run")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : kUsageError;
  }
  options.benchmark_flags = app.remaining();
  const auto backend =
      kernels::make_backend<float>(options.setting.backend, options.setting.simd_target);
  if (!backend) {
    fmt::print(stderr, "interpscale_bench: {}\n", backend.error().message);
    return kUsageError;
  }
  const auto has_zero = [](const std::vector<std::size_t>& sizes) {
    return std::find(sizes.begin(), sizes.end(), 0U) != sizes.end();
  };
  if (options.setting.threads < 1 || options.batch < 1 || options.inputs < 1 ||
      has_zero(options.widths) || has_zero(options.depths)) {
    fmt::print(
        stderr,
        "interpscale_bench: --threads {} --batch {} --inputs {} --widths {} --depths {}: all "
        "must be at least 1\n",
        options.setting.threads, options.batch, options.inputs, fmt::join(options.widths, ","),
        fmt::join(options.depths, ","));
    return kUsageError;
  }
  return options;
}

}  // namespace interpscale::bench
