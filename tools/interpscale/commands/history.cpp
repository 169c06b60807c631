// `interpscale history`: the project's own times, a line a revision, and where they changed.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/regression/history.hpp"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "interpscale/commands_regression.hpp"
#include "interpscale/saved_results.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

struct HistoryOptions {
  std::string source;  ///< results to add, or a machine's file to show
  std::string folder = "results/history";
  std::string revision;
  double threshold = 3;
  bool json = false;
};

int add_line(const HistoryOptions& options) {
  const Result<regression::ResultSet> results = read_results(options.source);
  if (!results) {
    return fail_with(results.error(), kBadInput);
  }
  const std::string revision = options.revision.empty() ? results->revision : options.revision;
  const Result<bool> added = regression::append_history(options.folder, *results, revision);
  if (!added) {
    return fail_with(added.error(), kBadInput);
  }
  fmt::print("{}: revision {} {}\n",
             regression::history_file(options.folder, results->machine).string(), revision,
             *added ? "added" : "was there already: nothing is changed");
  return kDone;
}

int show(const HistoryOptions& options) {
  const auto lines = regression::read_history(options.source);
  if (!lines) {
    return fail_with(lines.error(), kBadInput);
  }
  const auto series = regression::history_series(*lines, options.threshold / 100);
  if (options.json) {
    fmt::print("{}\n", regression::to_json(*lines, series).dump());
  } else {
    fmt::print("{}", regression::to_text(*lines, series));
  }
  return kDone;
}

}  // namespace

void add_history(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<HistoryOptions>();
  CLI::App* command =
      app.add_subcommand("history", "Keep times by revision; find where they changed for good");
  command->require_subcommand(1);
  CLI::App* add = command->add_subcommand("add", "Append a line for a revision, once");
  add->add_option("results", options->source, "A study, or a file of Google Benchmark")->required();
  add->add_option("--folder", options->folder, "Holds a file a machine")->capture_default_str();
  add->add_option("--revision", options->revision, "In place of the one that the results name");
  add->callback([options, &exit_code] { exit_code = add_line(*options); });
  CLI::App* list = command->add_subcommand("show", "Change points of every cell");
  list->add_option("file", options->source, "A machine's file")->required();
  list->add_option("--threshold", options->threshold, "Per cent; smaller changes are left out")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  list->add_flag("--json", options->json, "All series and their changes, for tools/plot-history");
  list->callback([options, &exit_code] { exit_code = show(*options); });
  command->footer(
      "Examples:\n"
      "  interpscale history add quick --folder results/history\n"
      "  interpscale history show results/history/MACHINE.jsonl");
}

}  // namespace interpscale::tool
