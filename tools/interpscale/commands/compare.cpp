// `interpscale compare`: is the candidate slower than the base?
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/regression/compare.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "interpscale/commands_regression.hpp"
#include "interpscale/regression/alternate.hpp"
#include "interpscale/regression/instructions.hpp"
#include "interpscale/regression/render.hpp"
#include "interpscale/regression/results.hpp"
#include "interpscale/saved_results.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

namespace fs = std::filesystem;
using regression::Build;
using regression::Comparison;

struct CompareArguments {
  std::string base;
  std::string candidate;
  std::string filter;
  std::string metric = "time";
  double budget = 60;
  double threshold = 3;
  double instruction_threshold = 1;
  std::uint64_t iterations = 1;
  std::uint64_t seed = 1;
  std::string widths = "64,128,256";
  std::string depths = "1";
  std::size_t inputs = 784;
  std::size_t batch = 128;
  double most_flops = 1e8;
  double slice_milliseconds = 4;
  int threads = 1;
  bool allow_different_machines = false;
  std::string json;
  std::string markdown;
  std::string junit;
};

std::vector<std::string> bench_arguments(const CompareArguments& arguments) {
  return {fmt::format("--widths={}", arguments.widths),
          fmt::format("--depths={}", arguments.depths),
          fmt::format("--inputs={}", arguments.inputs), fmt::format("--batch={}", arguments.batch),
          fmt::format("--most-flops={}", arguments.most_flops)};
}

Result<std::vector<Comparison>> compare_two_builds(const CompareArguments& arguments,
                                                   const Build& base, const Build& candidate) {
  std::vector<Comparison> comparisons;
  ProgressLine line;
  const auto show = [&line](const std::string& what, double fraction) {
    line.show(fraction, what, -1);
  };
  if (arguments.metric != "instructions") {
    regression::AlternateOptions options;
    options.arguments = bench_arguments(arguments);
    options.arguments.push_back(fmt::format("--threads={}", arguments.threads));
    options.one_core = arguments.threads == 1;
    options.filter = arguments.filter;
    options.budget_seconds = arguments.budget;
    options.threshold = arguments.threshold / 100;
    options.slice_seconds = arguments.slice_milliseconds / 1000;
    options.seed = arguments.seed;
    options.allow_different_targets = arguments.allow_different_machines;
    options.progress = show;
    Result<Comparison> comparison = regression::compare_builds(base, candidate, options);
    if (!comparison) {
      return tl::unexpected(comparison.error());
    }
    comparisons.push_back(std::move(*comparison));
  }
  if (arguments.metric != "time") {
    regression::CountOptions options;
    options.arguments = bench_arguments(arguments);
    options.filter = arguments.filter;
    options.iterations = arguments.iterations;
    options.threshold = arguments.instruction_threshold / 100;
    options.progress = show;
    Result<Comparison> comparison = regression::compare_instructions(base, candidate, options);
    if (!comparison) {
      return tl::unexpected(comparison.error());
    }
    comparisons.push_back(std::move(*comparison));
  }
  return comparisons;
}

Result<std::vector<Comparison>> compare_two_files(const CompareArguments& arguments) {
  std::vector<regression::ResultSet> sides;
  for (const std::string& path : {arguments.base, arguments.candidate}) {
    Result<regression::ResultSet> results =
        read_results(path).and_then([&](regression::ResultSet read) {
          return regression::filtered(std::move(read), arguments.filter);
        });
    if (!results) {
      return tl::unexpected(results.error());
    }
    sides.push_back(std::move(*results));
  }
  regression::CompareOptions options;
  options.threshold = arguments.threshold / 100;
  options.unpaired_threshold = std::max(options.unpaired_threshold, options.threshold);
  return regression::compare_saved(sides[0], sides[1], options, arguments.allow_different_machines)
      .map([](Comparison comparison) { return std::vector<Comparison>{std::move(comparison)}; });
}

Result<std::vector<Comparison>> compare_sides(const CompareArguments& arguments) {
  const std::optional<fs::path> base = find_bench(arguments.base);
  const std::optional<fs::path> candidate = find_bench(arguments.candidate);
  if (base.has_value() != candidate.has_value()) {
    return fail("{} is a build and {} is not: compare two builds or two saved results",
                base ? arguments.base : arguments.candidate,
                base ? arguments.candidate : arguments.base);
  }
  if (base) {
    return compare_two_builds(arguments, {arguments.base, *base},
                              {arguments.candidate, *candidate});
  }
  if (arguments.metric != "time") {
    return fail("--metric {}: instructions are counted of builds, not of saved results",
                arguments.metric);
  }
  return compare_two_files(arguments);
}

/// To a file, or to standard output where `path` is "-".
Result<void> write_text(const std::string& path, const std::string& text) {
  if (path == "-") {
    fmt::print("{}", text);
    return {};
  }
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.close();
  return stream ? Result<void>() : fail("{}: cannot be written", path);
}

Result<void> write_reports(const CompareArguments& arguments,
                           const std::vector<Comparison>& comparisons) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  std::string markdown;
  std::string text;
  for (const Comparison& comparison : comparisons) {
    json.push_back(regression::to_json(comparison));
    markdown += (markdown.empty() ? "" : "\n") + regression::to_markdown(comparison);
    text += (text.empty() ? "" : "\n") + regression::to_text(comparison);
  }
  const bool takes_output =
      arguments.json == "-" || arguments.markdown == "-" || arguments.junit == "-";
  for (const auto& [path, content] :
       {std::pair{takes_output ? "" : "-", text},
        std::pair{arguments.json.c_str(), json.dump(2) + "\n"},
        std::pair{arguments.markdown.c_str(), markdown},
        std::pair{arguments.junit.c_str(), regression::to_junit(comparisons)}}) {
    if (*path == '\0') {
      continue;
    }
    if (const Result<void> written = write_text(path, content); !written) {
      return written;
    }
  }
  return {};
}

/// 1 before 3 before 0.
int worst_exit(const std::vector<Comparison>& comparisons) {
  int worst = 0;
  for (const Comparison& comparison : comparisons) {
    const int code = regression::exit_code(comparison.verdict);
    worst = code == 1 || worst == 0 ? code : worst;
  }
  return worst;
}

int compare(const CompareArguments& arguments) {
  const Result<std::vector<Comparison>> comparisons = compare_sides(arguments);
  if (!comparisons) {
    return fail_with(comparisons.error(), kBadInput);
  }
  if (const Result<void> written = write_reports(arguments, *comparisons); !written) {
    return fail_with(written.error(), kBadInput);
  }
  return worst_exit(*comparisons);
}

void add_outputs(CLI::App& command, CompareArguments& arguments) {
  command.add_option("--json", arguments.json, "Write JSON to this file; -: standard output");
  command.add_option("--markdown", arguments.markdown, "The same, for a CI's summary page");
  command.add_option("--junit", arguments.junit, "The same, JUnit's XML: a test case a cell");
}

void add_measuring(CLI::App& command, CompareArguments& arguments) {
  const CLI::Validator positive = CLI::PositiveNumber;
  command.add_option("--metric", arguments.metric, "time, instructions or all")
      ->check(CLI::IsMember({"time", "instructions", "all"}))
      ->capture_default_str();
  command.add_option("--budget", arguments.budget, "Seconds to measure times for, at most")
      ->check(positive)
      ->capture_default_str();
  command.add_option("--widths", arguments.widths, "Units of each hidden layer")
      ->capture_default_str();
  command.add_option("--depths", arguments.depths, "Hidden layers")->capture_default_str();
  command.add_option("--inputs", arguments.inputs, "Inputs")->capture_default_str();
  command.add_option("--batch", arguments.batch, "Samples")->capture_default_str();
  command.add_option("--most-flops", arguments.most_flops, "Leave out larger cells")
      ->capture_default_str();
  command.add_option("--threads", arguments.threads, "Of what is timed")
      ->check(positive)
      ->capture_default_str();
  command.add_option("--slice", arguments.slice_milliseconds, "Milliseconds of a turn")
      ->check(positive)
      ->capture_default_str();
  command.add_option("--iterations", arguments.iterations, "Runs whose instructions are counted")
      ->check(positive)
      ->capture_default_str();
  command.add_option("--seed", arguments.seed, "Of the order of the cells")->capture_default_str();
}

}  // namespace

void add_compare(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<CompareArguments>();
  CLI::App* command =
      app.add_subcommand("compare",
                         "Is the candidate slower than the base? Two builds, two studies "
                         "or two files of Google Benchmark");
  command
      ->add_option("base", arguments->base, "A build's folder or interpscale_bench; a study; JSON")
      ->required();
  command->add_option("candidate", arguments->candidate, "The same of the candidate")->required();
  command->add_option("--filter", arguments->filter,
                      "Only cells that match this regular expression (-EXPRESSION: that do not)");
  command->add_option("--threshold", arguments->threshold, "Per cent of time that matter")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      ->add_option("--instruction-threshold", arguments->instruction_threshold,
                   "Per cent of instructions that matter")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_flag("--allow-different-machines", arguments->allow_different_machines,
                    "Compare saved results of different machines or SIMD targets all the same");
  add_measuring(*command, *arguments);
  add_outputs(*command, *arguments);
  command->footer(
      "Exit status: 0 unchanged or improved, 1 regressed, 2 bad usage or input, 3 inconclusive.\n"
      "Examples:\n"
      "  interpscale compare build/base build/release --filter 'zero_ablation/fast'\n"
      "  interpscale compare old/journal.jsonl new/journal.jsonl --markdown summary.md\n"
      "  interpscale compare old.json new.json --junit report.xml");
  command->callback([arguments, &exit_code] { exit_code = compare(*arguments); });
}

}  // namespace interpscale::tool
